"""Both tiers together: memory first, disk for what is portable, promotion on the way back."""

import hashlib
from pathlib import Path

from torch import nn

from nodegraph.execution.store import DiskTier, MemoryTier, ResultStore


def key(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def store(folder: Path, memory: int = 10**6) -> ResultStore:
    return ResultStore(MemoryTier(memory), DiskTier(folder, 10**7, flush_after=None))


def test_results_come_from_memory_then_disk_and_are_promoted(tmp_path: Path) -> None:
    with store(tmp_path) as first:
        assert first.get(key(1)) is None
        first.put(key(1), {"value": (1, 2.0)}, portable=True)
        assert first.get(key(1)) == ({"value": (1, 2.0)}, "memory")
    with store(tmp_path) as second:
        assert second.get(key(1)) == ({"value": (1, 2.0)}, "disk")
        assert second.get(key(1)) == ({"value": (1, 2.0)}, "memory")


def test_resident_results_stay_in_memory(tmp_path: Path) -> None:
    network = nn.Linear(2, 2)
    with store(tmp_path) as first:
        first.put(key(1), {"model": network}, portable=False)
        first.put(key(2), {"value": 1}, portable=False)
        found = first.get(key(1))
        assert found is not None
        assert found[0]["model"] is network
        assert first.contains_many([key(1), key(2), key(3)]) == {key(1), key(2)}
    with store(tmp_path) as second:
        assert second.contains_many([key(1), key(2)]) == set()


def test_contains_many_asks_both_tiers(tmp_path: Path) -> None:
    with store(tmp_path) as first:
        first.put(key("disk"), {"value": 1}, portable=True)
        first.flush()
    with store(tmp_path) as second:
        second.put(key("memory"), {"value": 1}, portable=False)
        assert second.contains_many([key("disk"), key("memory"), key("none")]) == {key("disk"), key("memory")}


def test_what_memory_cannot_hold_is_still_found_on_disk(tmp_path: Path) -> None:
    with store(tmp_path, memory=0) as small:
        small.put(key(1), {"value": "x" * 50_000}, portable=True)
        assert small.get(key(1)) == ({"value": "x" * 50_000}, "disk")


def test_it_works_without_a_disk_and_with_one_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for disk in (None, DiskTier(tmp_path / "file", 10**7)):
        with ResultStore(MemoryTier(10**6), disk) as without:
            without.put(key(1), {"value": 1}, portable=True)
            without.flush()
            assert without.get(key(1)) == ({"value": 1}, "memory")
            without.clear()
            assert without.get(key(1)) is None


def test_clear_empties_both(tmp_path: Path) -> None:
    with store(tmp_path) as both:
        both.put(key(1), {"value": 1}, portable=True)
        both.clear()
        assert both.contains_many([key(1)]) == set()
        assert both.get(key(1)) is None
