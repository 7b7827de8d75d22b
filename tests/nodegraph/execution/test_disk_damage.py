"""Damage of any part of an entry is noticed, reported and a miss; other entries stay."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import torch

from nodegraph.execution.store import DiskTier

SMALL = {"value": torch.arange(50)}
LARGE = {"value": torch.arange(50_000)}


def key(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def truncate(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def swap(path: Path, new: bytes) -> None:
    path.write_bytes(new)


FILE_DAMAGE: dict[str, Callable[[Path], object]] = {
    "length of the header": lambda path: flip(path, 0),
    "highest byte of the length": lambda path: flip(path, 7),
    "header": lambda path: flip(path, 40),
    "document": lambda path: flip(path, path.read_bytes().index(b"tensor")),
    "shape": lambda path: flip(path, path.read_bytes().index(b"[50000]") + 1),
    "first byte of the payload": lambda path: flip(path, -400_000),
    "last byte of the payload": lambda path: flip(path, -1),
    "truncated payload": lambda path: truncate(path, 100_000),
    "truncated header": lambda path: truncate(path, 20),
    "empty": lambda path: truncate(path, 0),
    "too long": lambda path: swap(path, path.read_bytes() + b"\0"),
    "another file": lambda path: swap(path, b"\0" * path.stat().st_size),
    "deleted": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", FILE_DAMAGE.values(), ids=FILE_DAMAGE)
def test_a_damaged_file_is_a_miss(
    damage: Callable[[Path], object], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with DiskTier(tmp_path, 10**7) as tier:
        assert tier.put(key("good"), LARGE)
        assert tier.put(key("bad"), LARGE)
    (path,) = tmp_path.rglob(f"{key('bad')}.safetensors")
    damage(path)
    with DiskTier(tmp_path, 10**7) as tier:
        assert tier.get(key("bad")) is None
        assert tier.get(key("good")) is not None
        assert tier.info().damaged == 1
        assert tier.info().entries == 1
        assert not path.exists()
        assert key("bad") in caplog.text
        assert tier.put(key("bad"), LARGE)
        assert tier.get(key("bad")) is not None


ROW_DAMAGE = {
    "payload": "UPDATE entries SET payload = zeroblob(length(payload)) WHERE key = ?",
    "payload cut": "UPDATE entries SET payload = substr(payload, 1, 100) WHERE key = ?",
    "payload gone": "UPDATE entries SET payload = NULL WHERE key = ?",
    "payload of another type": "UPDATE entries SET payload = 5 WHERE key = ?",
    "checksum": "UPDATE entries SET checksum = zeroblob(32) WHERE key = ?",
    "checksum of another type": "UPDATE entries SET checksum = 'text' WHERE key = ?",
    "payload of another entry": "UPDATE entries SET (payload, checksum) = "
    "(SELECT payload, checksum FROM entries AS other WHERE other.key <> entries.key) WHERE key = ?",
}


def alter(folder: Path, statement: str, values: tuple[object, ...]) -> None:
    with closing(sqlite3.connect(folder / "v1" / "index.sqlite")) as connection:
        assert connection.execute(statement, values).rowcount == 1
        connection.commit()


@pytest.mark.parametrize("statement", ROW_DAMAGE.values(), ids=ROW_DAMAGE)
def test_a_damaged_row_is_a_miss(statement: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with DiskTier(tmp_path, 10**7) as tier:
        tier.put(key("good"), {"value": 1})
        tier.put(key("bad"), SMALL)
    alter(tmp_path, statement, (key("bad"),))
    with DiskTier(tmp_path, 10**7) as tier:
        assert tier.get(key("bad")) is None
        assert tier.get(key("good")) == {"value": 1}
        assert (tier.info().damaged, tier.info().entries) == (1, 1)
    assert key("bad") in caplog.text


@pytest.mark.parametrize("column", ["size", "checksum"])
def test_a_damaged_row_of_a_file_is_a_miss(column: str, tmp_path: Path) -> None:
    with DiskTier(tmp_path, 10**7) as tier:
        tier.put(key("bad"), LARGE)
    alter(tmp_path, f"UPDATE entries SET {column} = 7 WHERE key = ?", (key("bad"),))
    with DiskTier(tmp_path, 10**7) as tier:
        assert tier.get(key("bad")) is None
        assert tier.info().damaged == 1
    assert list(tmp_path.rglob("*.safetensors")) == []


def test_a_file_under_another_key_is_a_miss(tmp_path: Path) -> None:
    with DiskTier(tmp_path, 10**7) as tier:
        tier.put(key(1), LARGE)
        tier.put(key(2), {"value": -torch.arange(50_000)})
        paths = [next(tmp_path.rglob(f"{key(number)}.safetensors")) for number in (1, 2)]
        paths[0].write_bytes(paths[1].read_bytes())
        assert tier.get(key(1)) is None
        assert tier.get(key(2)) is not None


def test_an_entry_evicted_and_stored_again_while_it_is_read_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DiskTier(tmp_path, 10**7) as tier, DiskTier(tmp_path, 10**7) as other:
        tier.put(key(1), LARGE)
        original = tier._files.read

        def gone_then_back(name: str, checksum: bytes, size: int) -> object:
            monkeypatch.setattr(tier._files, "read", original)
            tier._files.remove(name)
            try:
                return original(name, checksum, size)
            finally:
                other.put(name, LARGE)

        monkeypatch.setattr(tier._files, "read", gone_then_back)
        found = tier.get(key(1))
        assert found is not None
        assert torch.equal(found["value"], LARGE["value"])  # type: ignore[arg-type]
        assert tier.info().damaged == 0


def test_an_entry_replaced_while_it_is_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with DiskTier(tmp_path, 10**7) as tier, DiskTier(tmp_path, 10**7) as other:
        tier.put(key(1), LARGE)
        original = tier._index.row

        def row_then_replacement(name: str) -> object:
            found = original(name)
            monkeypatch.setattr(tier._index, "row", original)
            other.put(name, {"value": -torch.arange(50_000)})
            return found

        monkeypatch.setattr(tier._index, "row", row_then_replacement)
        found = tier.get(key(1))
        assert found is not None
        assert torch.equal(found["value"], -torch.arange(50_000))  # type: ignore[arg-type]
        assert tier.info().damaged == 0


def test_an_index_that_is_no_database_ends_the_tier_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "index.sqlite").write_bytes(b"no database" * 1000)
    with DiskTier(tmp_path, 10**7) as tier:
        assert not tier.put(key(1), SMALL)
        assert tier.get(key(1)) is None
        assert tier.contains_many([key(1)]) == set()
        assert not tier.info().usable
    assert len(caplog.records) == 1
    assert "is damaged" in caplog.text
    assert "Delete the folder" in caplog.text


def test_another_format_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "format").write_text("of another program")
    with DiskTier(tmp_path, 10**7) as tier:
        assert not tier.put(key(1), SMALL)
    assert [path.name for path in (tmp_path / "v1").iterdir()] == ["format"]
    assert len(caplog.records) == 1
