"""The age of tokens, in canvases of fixed length and in texts that grow."""

from random import Random
from types import SimpleNamespace

import pytest
import torch

from xlm_spec.runtime.data.metrics import edit_distance
from xlm_spec.runtime.generation.token_age import (
    NOTHING,
    Cell,
    Snapshot,
    changes,
    edits,
    fewest,
    follow,
    snapshot,
)

MASK = "_"


def followed(*texts: str, same: bool = True) -> list[list[tuple]]:
    """The last state: token, step in which it was written, writes. `<` ends the fixed tokens.

    With `same` all states of a length have the same positions, else no two states share any.
    """
    states = []
    for step, text in enumerate(texts):
        fixed, _, free = text.rpartition("<")
        positions = [i if same else (step, i) for i in range(len(fixed + free))]
        flags = [True] * len(fixed) + [False] * len(free)
        states.append(Snapshot(positions, list(fixed + free), flags))
    return [(c.token, c.since, c.writes) for c in follow(states, MASK)[-1] if not c.gone]


def test_a_fixed_canvas_is_aligned_position_by_position():
    assert followed("___", "_b_", "ab_") == [("a", 2, 1), ("b", 1, 1), ("_", 0, 0)]


def test_fixed_tokens_are_never_written():
    assert followed("x<__", "x<_b", "x<ab") == [("x", 0, 0), ("a", 2, 1), ("b", 1, 1)]
    assert followed("x<", "x<a", "xay<") == [("x", 0, 0), ("a", 1, 1), ("y", 2, 0)]


def test_a_token_that_moves_in_a_fixed_canvas_is_new():
    assert followed("_a", "a_") == [("a", 1, 1), ("_", 1, 0)]


def test_remasked_and_rewritten():
    assert followed("__", "a_", "ab", "_b") == [("_", 3, 1), ("b", 2, 1)]
    assert followed("__", "a_", "ab", "_b", "cb") == [("c", 4, 2), ("b", 2, 1)]
    assert followed("_", "a", "b") == [("b", 2, 2)]


def test_noise_at_the_start_is_not_written():
    assert followed("xy", "xa") == [("x", 0, 0), ("a", 1, 1)]


def test_an_insertion_pushes_tokens_apart():
    assert followed("", "b", "bd", "bcd", "abcd") == [
        ("a", 4, 1), ("b", 1, 1), ("c", 3, 1), ("d", 2, 1)
    ]  # fmt: skip


def test_masks_are_inserted_then_written():
    assert followed("", "__", "a_", "a__b", "acdb") == [
        ("a", 2, 1), ("c", 4, 1), ("d", 4, 1), ("b", 3, 1)
    ]  # fmt: skip


def test_a_deletion_closes_the_gap():
    assert followed("", "abc", "ac") == [("a", 1, 1), ("c", 1, 1)]


def test_an_insertion_beside_a_deletion():
    assert followed("", "abcd", "xabd", same=False) == [
        ("x", 2, 1), ("a", 1, 1), ("b", 1, 1), ("d", 1, 1)
    ]  # fmt: skip


def edited(before: str, after: str) -> str:
    """The edits of a step: `+x` is inserted, `-x` deleted, `x>y` substituted."""
    states = [Snapshot([(i, j) for j in range(len(t))], [*t], [False] * len(t)) for i, t in
              enumerate((before, after))]  # fmt: skip
    shown = []
    for c in follow(states, MASK)[-1]:
        if c.gone:
            shown.append(f"-{c.token}")
        elif c.since:
            shown.append(f"{c.was}>{c.token}" if c.was != NOTHING else f"+{c.token}")
        else:
            shown.append(c.token)
    return " ".join(shown)


@pytest.mark.parametrize(
    ("before", "after", "edits"),
    [
        ("abc", "axbc", "a +x b c"),
        ("abc", "ac", "a -b c"),
        ("abc", "axc", "a b>x c"),
        ("abcd", "xabd", "+x a b -c d"),
        ("abcde", "axcdye", "a b>x c d +y e"),
        ("kitten", "sitting", "k>s i t t e>i n +g"),
        ("a_b", "axb", "a +x b"),
        ("a_b", "ab", "a b"),
    ],
)
def test_edits_are_told_apart(before, after, edits):
    assert edited(before, after) == edits


def test_a_deleted_token_is_shown_for_one_state():
    states = [Snapshot([*range(len(t))], [*t], [False] * len(t)) for t in ("ab", "b", "bc")]
    _, second, third = follow(states, MASK)
    assert second == [Cell("a", False, 1, 0, gone=True), Cell("b", False, 0, 0)]
    assert [c.token for c in third] == ["b", "c"]


@pytest.mark.parametrize("seed", range(5))
def test_as_few_edits_as_possible(seed):
    rng = Random(seed)
    old, new = ([rng.choice("abc") for _ in range(rng.randrange(9))] for _ in range(2))
    script = fewest(old, new)
    made, done = [], 0
    for start, end, new_start, new_end in script:
        made += old[done:start] + new[new_start:new_end]
        done = end
    assert made + old[done:] == new
    a, b = (torch.tensor([[ord(c) for c in t] + [-1] * (9 - len(t))]) for t in (old, new))
    assert len(script) == int(edit_distance(a, b))


def test_long_texts_are_followed_fast():
    old = [*range(2000)]
    new = [t for t in old if t % 7] + [-5]
    assert len(edits(old, new, False)) > 200


def test_a_text_that_becomes_empty():
    assert followed("", "ab", "") == []


def test_every_state_is_followed():
    states = [Snapshot([0, 1], list(text), [False, False]) for text in ("__", "a_", "ab")]
    first, second = Cell("_", False, 0, 0), Cell("a", False, 1, 1)
    assert follow(states, MASK) == [
        [first, first],
        [second, first],
        [second, Cell("b", False, 2, 1)],
    ]


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize(("before", "after"), [("abcabc", "abxabc"), ("aaaa", "baab"), ("", "")])
def test_changes_turn_before_into_after(before, after, same):
    made, done = "", 0
    for start, end, new_start, new_end in changes(list(before), list(after), same):
        made += before[done:start] + after[new_start:new_end]
        done = end
    assert made + before[done:] == after


@pytest.mark.parametrize(
    ("tokens", "shown"), [([9, 9, 9, 1, 9, 2], [1, 9, 2]), ([9, 1, 2], [1, 2])]
)
def test_the_bos_before_a_short_prompt_is_not_shown(tokens, shown):
    tokens = torch.tensor([tokens])
    row = snapshot(SimpleNamespace(tokens=tokens, valid=tokens > 0, fixed=tokens > 8), 0)
    assert row.tokens == shown
    assert row.fixed == [t > 8 for t in shown]
