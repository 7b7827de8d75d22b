"""The memory tier keeps its budget, forgets the least recently used first, and counts shared weights once."""

import threading

import torch
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.execution.store import MemoryInfo, MemoryTier
from nodegraph.ports.codec import size_in_bytes

MEBI = 1 << 20


def block(mebibytes: int = 1) -> torch.Tensor:
    return torch.zeros(mebibytes * MEBI, dtype=torch.uint8)


def test_what_is_put_is_got_and_the_dictionary_is_a_copy() -> None:
    tier = MemoryTier(MEBI)
    value = object()
    given = {"a": value}
    assert tier.put("k", given)
    given["b"] = value
    first = tier.get("k")
    assert first == {"a": value}
    first["c"] = value
    assert tier.get("k") == {"a": value}
    assert "k" in tier
    assert "other" not in tier
    assert tier.get("other") is None


def test_least_recently_used_go_first() -> None:
    tier = MemoryTier(3 * MEBI + 10_000)
    for key in "abc":
        tier.put(key, {"value": block()})
    tier.get("a")
    tier.put("d", {"value": block()})
    assert [key for key in "abcd" if key in tier] == ["a", "c", "d"]


def test_what_exceeds_the_budget_alone_is_not_kept_and_pushes_nothing_out() -> None:
    tier = MemoryTier(2 * MEBI)
    tier.put("small", {"value": block()})
    assert not tier.put("large", {"value": block(3)})
    assert "large" not in tier
    assert "small" in tier


def test_a_too_large_replacement_does_not_leave_the_old_value() -> None:
    tier = MemoryTier(2 * MEBI)
    tier.put("k", {"value": block()})
    assert not tier.put("k", {"value": block(3)})
    assert tier.get("k") is None


def test_shared_weights_count_once_until_the_last_user_goes() -> None:
    tier = MemoryTier(4 * MEBI)
    weights = block(2)
    for key in "abcdef":
        tier.put(key, {"model": (weights, key)})
    assert 2 * MEBI < tier.info().bytes < 2 * MEBI + 10_000
    assert tier.info().entries == 6
    tier.put("x", {"value": block(3)})
    assert tier.info() == MemoryInfo(entries=1, bytes=tier.info().bytes, budget=4 * MEBI)
    assert 3 * MEBI < tier.info().bytes < 3 * MEBI + 10_000


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 5), st.booleans()), max_size=40))
def test_the_count_is_exact_and_within_budget(steps: list[tuple[str, int, bool]]) -> None:
    budget = 60_000
    tier = MemoryTier(budget)
    shared = torch.zeros(20_000, dtype=torch.uint8)
    for key, size, use_shared in steps:
        value = torch.zeros(size * 5_000, dtype=torch.uint8)
        tier.put(key, {"value": value, "shared": shared if use_shared else None})
        assert 0 <= tier.info().bytes <= budget
    for key in "abcdef":
        tier.put(key, {"value": torch.zeros(2 * budget, dtype=torch.uint8)})
    assert tier.info() == MemoryInfo(entries=0, bytes=0, budget=budget)


def test_clear_forgets_everything() -> None:
    tier = MemoryTier(MEBI)
    tier.put("k", {"value": 1})
    tier.clear()
    assert tier.info() == MemoryInfo(entries=0, bytes=0, budget=MEBI)
    assert tier.get("k") is None


def test_threads_share_it() -> None:
    tier = MemoryTier(200_000)

    def work(number: int) -> None:
        for step in range(200):
            key = str((number + step) % 20)
            tier.put(key, {"value": torch.full((20_000,), int(key), dtype=torch.uint8)})
            found = tier.get(key)
            assert found is None or int(found["value"][0]) == int(key)  # type: ignore[index]

    errors: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert tier.info().bytes <= 200_000
    held = [tier.get(str(number)) for number in range(20)]
    assert tier.info().bytes == sum(size_in_bytes(tuple(entry.values())) for entry in held if entry is not None)
