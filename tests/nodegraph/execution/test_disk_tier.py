"""The disk tier: results survive restarts, the budget holds, the least recently used go first."""

import hashlib
import itertools
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from nodegraph.execution.store import DiskTier, InvalidKey
from nodegraph.execution.store.index import OVERHEAD

MEBI = 1 << 20


def key(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "v1").rglob("*") if path.is_file() and "index" not in path.name)


def large(number: int = 0, kibibytes: int = 64) -> dict[str, object]:
    return {"value": torch.full((kibibytes * 1024,), number, dtype=torch.uint8)}


@pytest.fixture
def tier(tmp_path: Path) -> Iterator[DiskTier]:
    ticks = itertools.count(10**18)
    with DiskTier(tmp_path, 10 * MEBI, flush_after=None, now=lambda: next(ticks)) as tier:
        yield tier


def test_small_and_large_results_survive_a_restart(tmp_path: Path) -> None:
    small = {"a": 1, "b": (True, 1.0, "x"), "c": None}
    with DiskTier(tmp_path, MEBI) as tier:
        assert tier.get(key("small")) is None
        assert tier.put(key("small"), small)
        assert tier.put(key("large"), large(7))
        assert tier.get(key("small")) == small
    with DiskTier(tmp_path, MEBI) as tier:
        assert tier.get(key("small")) == small
        found = tier.get(key("large"))
        assert found is not None
        assert torch.equal(found["value"], large(7)["value"])  # type: ignore[arg-type]


def test_small_results_are_no_files_and_large_ones_lie_under_their_key(tier: DiskTier, tmp_path: Path) -> None:
    tier.put(key("tiny tensor"), {"value": torch.ones(3)})
    tier.put(key("no tensor"), {"value": "x" * 1000})
    tier.put(key("large"), large())
    tier.put(key("long text"), {"value": "x" * 50_000})
    tier.flush()
    objects = tmp_path / "v1" / "objects"
    expected = [objects / key(name)[:2] / f"{key(name)}.safetensors" for name in ("large", "long text")]
    assert files(tmp_path) == sorted([tmp_path / "v1" / "format", *expected])
    assert tier.get(key("long text")) == {"value": "x" * 50_000}


def test_results_are_written_by_the_time_flush_returns(tier: DiskTier, tmp_path: Path) -> None:
    tier.put(key(1), {"value": 1})
    with DiskTier(tmp_path, MEBI) as other:
        assert other.get(key(1)) is None
        assert tier.flush()
        assert other.get(key(1)) == {"value": 1}


def test_many_buffered_results_are_written_without_a_flush(tier: DiskTier, tmp_path: Path) -> None:
    for number in range(1000):
        tier.put(key(number), {"value": number})
    with DiskTier(tmp_path, MEBI) as other:
        assert len(other.contains_many([key(number) for number in range(1000)])) >= 488


def test_contains_many_tells_buffered_and_written_results(tier: DiskTier) -> None:
    for number in range(0, 600, 2):
        tier.put(key(number), {"value": number})
    keys = [key(number) for number in range(700)]
    assert tier.contains_many(keys) == {key(number) for number in range(0, 600, 2)}
    assert tier.contains_many([]) == set()
    tier.flush()
    assert tier.contains_many(keys + keys) == {key(number) for number in range(0, 600, 2)}


def test_a_later_result_replaces_an_earlier_one(tier: DiskTier) -> None:
    for outputs in ({"value": 1}, large(1), {"value": 2}, large(2), {"value": 3}):
        tier.put(key(1), outputs)
        tier.flush()
        assert str(tier.get(key(1))) == str(outputs)
        assert tier.info().entries == 1
    tier.put(key(1), {"value": 4})
    tier.put(key(1), large(5))
    assert str(tier.get(key(1))) == str(large(5))


def test_the_budget_holds_and_the_least_recently_used_go_first(tmp_path: Path) -> None:
    ticks = itertools.count(10**18)
    budget = 4 * (64 * 1024 + 1024 + OVERHEAD)
    with DiskTier(tmp_path, budget, flush_after=None, now=lambda: next(ticks)) as tier:
        for number in range(4):
            tier.put(key(number), large(number))
        assert tier.put(key(4), large(4))
        assert tier.contains_many([key(number) for number in range(5)]) == {key(number) for number in range(1, 5)}
        for number in range(5, 30):
            tier.put(key(number), large(number) if number % 2 else {"value": "x" * 1000})
            assert tier.info().bytes <= budget
            on_disk = sum(path.stat().st_size for path in files(tmp_path))
            assert on_disk <= budget
        assert tier.info().evicted == 30 - tier.info().entries


def test_a_use_saves_an_entry_from_eviction(tmp_path: Path) -> None:
    ticks = itertools.count(10**18)
    budget = 4 * (64 * 1024 + 1024 + OVERHEAD)
    with DiskTier(tmp_path, budget, flush_after=None, now=lambda: next(ticks)) as tier:
        for number in range(4):
            tier.put(key(number), large(number))
        tier.get(key(0))
        tier.flush()
        tier.put(key(4), large(4))
        assert tier.contains_many([key(number) for number in range(5)]) == {key(0), key(2), key(3), key(4)}


def test_what_exceeds_the_budget_alone_is_not_kept(tier: DiskTier, tmp_path: Path) -> None:
    tier.put(key(0), large())
    assert not tier.put(key(1), large(kibibytes=11 * 1024))
    assert tier.info().entries == 1
    assert [path.name for path in files(tmp_path)] == [f"{key(0)}.safetensors", "format"][::-1]


def test_a_reader_reads_on_while_its_entry_is_evicted(tier: DiskTier, tmp_path: Path) -> None:
    tier.put(key(0), large(3))
    (path,) = (tmp_path / "v1" / "objects").rglob("*.safetensors")
    with path.open("rb") as file:
        tier.clear()
        assert not path.exists()
        assert file.read().endswith(b"\3" * 64 * 1024)
    assert tier.get(key(0)) is None


def test_totals_match_the_rows_after_any_change(tier: DiskTier, tmp_path: Path) -> None:
    for number in range(40):
        tier.put(key(number % 7), large(number) if number % 3 else {"value": number})
        tier.flush()
    info = tier.info()
    with sqlite3.connect(tmp_path / "v1" / "index.sqlite") as connection:
        query = "SELECT count(*), sum(size) FROM entries"
        entries, size = connection.execute(query).fetchone()
    connection.close()
    assert (info.entries, info.bytes) == (entries, size + entries * OVERHEAD) == (7, info.bytes)


def test_clear_removes_entries_and_files_but_nothing_else(tier: DiskTier, tmp_path: Path) -> None:
    (tmp_path / "foreign").write_text("keep")
    (tmp_path / "v2").mkdir()
    (tmp_path / "v2" / "foreign").write_text("keep")
    tier.put(key(0), large())
    tier.put(key(1), {"value": 1})
    tier.clear()
    assert tier.info().entries == tier.info().bytes == 0
    assert tier.contains_many([key(0), key(1)]) == set()
    assert files(tmp_path) == [tmp_path / "v1" / "format"]
    assert (tmp_path / "foreign").exists()
    assert (tmp_path / "v2" / "foreign").exists()


def test_clear_gives_the_space_of_small_results_back(tier: DiskTier, tmp_path: Path) -> None:
    for number in range(200):
        tier.put(key(number), {"value": "x" * 20_000})
    tier.close()
    index = tmp_path / "v1" / "index.sqlite"
    assert index.stat().st_size > 4_000_000
    tier.clear()
    tier.close()
    assert index.stat().st_size < 200_000


def test_a_stale_path_is_a_miss_and_can_be_put_again(tier: DiskTier, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    tier.put(key(0), {"file": file})
    tier.flush()
    assert tier.get(key(0)) == {"file": file}
    file.write_text("two")
    assert tier.get(key(0)) is None
    assert tier.info().stale == 1
    assert tier.info().damaged == 0
    assert tier.put(key(0), {"file": file})
    assert tier.get(key(0)) == {"file": file}
    file.unlink()
    assert tier.get(key(0)) is None


def test_outputs_that_are_not_portable_are_refused_with_one_warning(
    tier: DiskTier, caplog: pytest.LogCaptureFixture
) -> None:
    assert not tier.put(key(0), {"value": object()})
    assert not tier.put(key(1), {"value": object()})
    assert len(caplog.records) == 1
    assert "value.value of type object" in caplog.text


@pytest.mark.parametrize("bad", ["", "ab", "../" + "a" * 61, "A" * 64, "g" * 64, "a" * 63 + "\n", "a" * 65])
def test_keys_that_are_none_are_refused(tier: DiskTier, bad: str) -> None:
    with pytest.raises(InvalidKey):
        tier.put(bad, {"value": 1})
    with pytest.raises(InvalidKey):
        tier.get(bad)


def test_it_opens_again_after_close(tier: DiskTier) -> None:
    tier.put(key(0), {"value": 1})
    tier.close()
    assert tier.get(key(0)) == {"value": 1}


def test_files_of_dead_writers_are_removed_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    aside = tmp_path / "v1" / "tmp"
    aside.mkdir(parents=True)
    for name in ("dead", "young", "alive"):
        (aside / name).write_text("half")
    for name in ("dead", "alive"):
        os.utime(aside / name, (0, 0))
    with (aside / "alive").open() as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        with DiskTier(tmp_path, MEBI) as tier:
            tier.info()
    assert sorted(path.name for path in aside.iterdir()) == ["alive", "young"]


def test_strays_without_an_entry_are_removed_once_a_day(tmp_path: Path) -> None:
    day = 24 * 3600 * 10**9
    moment = 10 * day
    stray = tmp_path / "v1" / "objects" / "ab" / f"{'ab' * 32}.safetensors"
    for later, remains in ((0, False), (day // 2, True), (day + 1, False)):
        stray.parent.mkdir(parents=True, exist_ok=True)
        stray.write_text("stray")
        with DiskTier(tmp_path, MEBI, now=lambda: moment + later) as tier:  # noqa: B023
            tier.put(key(1), large())
        assert stray.exists() == remains
    with DiskTier(tmp_path, MEBI) as tier:
        assert tier.get(key(1)) is not None
