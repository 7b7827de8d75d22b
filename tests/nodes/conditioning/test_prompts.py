"""The language of prompts, and chunks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.conditioning.clip_tokens import ClipTokenizer
from nodes.conditioning.prompts import EMPTY, Chunk, Vector, chunks, parse, unknown_words

TOKENIZER = ClipTokenizer()


def spans(text: str) -> list[tuple[str, float]]:
    [section] = parse(text).sections
    return [(part, round(weight, 6)) for part, weight in section]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a b", [("a b", 1)]),
        ("(a) b", [("a", 1.1), (" b", 1)]),
        ("((a))", [("a", 1.21)]),
        ("(a:1.3)", [("a", 1.3)]),
        ("( a : 1.3 )", [(" a ", 1.3)]),
        ("(a:.5)(b:2.)(c:-1)(d:+2)", [("a", 0.5), ("b", 2), ("c", -1), ("d", 2)]),
        ("[a]", [("a", round(1 / 1.1, 6))]),
        ("[[a]]", [("a", round(1 / 1.21, 6))]),
        ("(a (b:2) c:1.5)", [("a ", 1.5), ("b", 3), (" c", 1.5)]),
        (r"\(a\) \[b\] \\", [("(a) [b] \\", 1)]),
        (r"(a\):1.2)", [("a)", 1.2)]),
        ("a:1.3 (b:c)", [("a:1.3 ", 1), ("b:c", 1.1)]),
        ("()(:2)", []),
        ("(a:99999999)", [("a", 100)]),
        ("[a:1.3]", [("a:1.3", round(1 / 1.1, 6))]),
    ],
)
def test_weights(text: str, expected: list[tuple[str, float]]) -> None:
    assert spans(text) == expected
    assert parse(text).unmatched == ()


@pytest.mark.parametrize(
    ("text", "expected", "unmatched"),
    [
        ("(a", [("(a", 1)], (0,)),
        ("a)", [("a)", 1)], (1,)),
        ("a:1.3)", [("a:1.3)", 1)], (5,)),
        ("(a [b) c]", [("a [b", 1.1), (" c]", 1)], (3, 8)),
        ("((a)", [("(", 1), ("a", 1.1)], (0,)),
        ("[a)", [("[a)", 1)], (0, 2)),
    ],
)
def test_brackets_without_a_partner_are_text(
    text: str, expected: list[tuple[str, float]], unmatched: tuple[int, ...]
) -> None:
    assert spans(text) == expected
    assert parse(text).unmatched == unmatched


def test_break_parts_sections_and_keeps_weights() -> None:
    first, second = parse("(a BREAK b:2) BREAK").sections
    assert [*first, *second] == [("a ", 2.0), (" b", 2.0)]
    assert parse("BREAKFAST aBREAK").sections == ((("BREAKFAST aBREAK", 1.0),),)
    assert parse("BREAK a").sections == ((), ((" a", 1.0),))


@given(st.text(alphabet="ab ()[]\\:1.3", max_size=60))
def test_brackets_balance_and_the_rest_of_the_text_stays(text: str) -> None:
    prompt = parse(text)
    assert [*prompt.unmatched] == sorted(set(prompt.unmatched))
    assert all(text[place] in "()[]" for place in prompt.unmatched)
    letters = [sign for section in prompt.sections for span in section for sign in span.text if sign in "ab"]
    assert letters == [sign for sign in text if sign in "ab"]


def test_deep_and_long_prompts_are_read_in_linear_work() -> None:
    deep = parse("(" * 20000 + "a" + ")" * 20000)
    assert deep.sections == ((("a", 100.0),),)
    assert len(parse("(" * 20000 + "]" * 20000).unmatched) == 40000
    for filler in (" " * 300_000, ":" * 300_000, ": 1" * 100_000, "1" * 300_000, "BREA" * 75_000):
        assert parse(f"a{filler}b").sections == (((f"a{filler}b", 1.0),),)


def test_no_words_are_one_empty_chunk() -> None:
    assert chunks("", TOKENIZER, {}) == chunks(" (:2)\n", TOKENIZER, {}) == (EMPTY,)


@pytest.mark.parametrize(("words", "count"), [(1, 1), (75, 1), (76, 2), (150, 2), (10_000, 134)])
def test_chunks_of_75(words: int, count: int) -> None:
    found = chunks("cat " * words, TOKENIZER, {})
    assert len(found) == count
    assert sum(len(each.slots) for each in found) == words
    assert {len(each.slots) for each in found[:-1]} <= {75}


def test_short_words_stay_whole_and_long_ones_are_cut() -> None:
    [short] = TOKENIZER.words("antidisestablish")
    [long] = TOKENIZER.words("1234567890")
    assert 1 < len(short) < 8 <= len(long)
    first, second = chunks("cat " * 74 + "antidisestablish", TOKENIZER, {})
    assert (len(first.slots), [*second.slots]) == (74, short)
    first, second = chunks("cat " * 74 + "1234567890", TOKENIZER, {})
    assert (len(first.slots), [*second.slots]) == (75, long[1:])
    first, second = chunks("cat " * 75 + "1234567890", TOKENIZER, {})
    assert (len(first.slots), [*second.slots]) == (75, long)


@given(st.text(max_size=400), st.integers(0, 80))
@settings(deadline=None)
def test_chunks_keep_every_token_in_order(text: str, before: int) -> None:
    found = chunks("cat " * before + text, TOKENIZER, {})
    assert all(len(each.slots) == len(each.weights) <= 75 for each in found)
    plain = "".join(span.text + " BREAK " for section in parse(text).sections for span in section)
    wanted = [number for part in plain.split(" BREAK ") for ids in TOKENIZER.words(part) for number in ids]
    cats = before if before and parse("cat " * before + text).sections[0] else 0
    assert [slot for each in found for slot in each.slots][cats:] == wanted


def test_learned_words() -> None:
    learned = {"sks": 2, "sks dog": 1, "<x>": 3}

    def slots(text: str) -> list[object]:
        return [slot for chunk in chunks(text, TOKENIZER, learned) for slot in chunk.slots]

    [cat], sks = TOKENIZER.words("cat")[0], [Vector("sks", 0), Vector("sks", 1)]
    assert slots("cat SKS cat") == slots("cat embedding:sks cat") == [cat, *sks, cat]
    assert slots("sks dog") == [Vector("sks dog", 0)]
    assert slots("<x>") == [Vector("<x>", row) for row in range(3)]
    assert not any(isinstance(slot, Vector) for slot in slots("sksy asks sks-like"))
    assert chunks("(sks:1.5)", TOKENIZER, learned) == (Chunk(slots=tuple(sks), weights=(1.5, 1.5)),)
    assert slots("ſkſ") == sks  # a long s is an s in another case
    assert unknown_words("embedding:sks", {}) == ["sks"]
    assert unknown_words("embedding:sks (embedding:other:1.2), embedding:sksy", learned) == ["other", "sksy"]
