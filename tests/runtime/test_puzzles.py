"""Drawn puzzles: their solutions are right and unique, and their checkers reject others."""

import hashlib
from collections import Counter
from dataclasses import replace
from fractions import Fraction  # noqa: F401, an expression reads it
from itertools import permutations, product
from random import Random

import pytest
import torch
from laws.sampled_laws import follows

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime import tasks
from xlm_spec.runtime.tasks import countdown, maze, sudoku

FEW = 200  # training examples
NAMES = ("sudoku", "countdown", "maze", "zebra")
DRAWN = {
    "sudoku": "b239c05934e0d6e3",
    "countdown": "13fee0b9a83d89a2",
    "maze": "80e3190ac0ba8e80",
    "zebra": "89c812540bb49a37",
    "walk": "e218415288d1de62",
}


def task_of(name, **options):
    task = tasks.find(name)
    return task.with_options(replace(task.options, **options))


def examples(rows):
    """Prompts and answers as lists, without padding."""
    columns = (t.tolist() for t in rows[:4])
    return [(p[:n], a[:m]) for p, n, a, m in zip(*columns, strict=True)]


def words(task, ids):
    return task.tokenizer.decode(ids).split()


def value(task, name, prompt, answer):
    """A metric of one answer."""
    width = max(1, len(answer))
    answers = torch.tensor([answer + [-1] * (width - len(answer))])
    lengths = torch.tensor([len(prompt)]), torch.tensor([len(answer)])
    rows = tasks.task.Rows(torch.tensor([prompt]), lengths[0], answers, lengths[1])
    return float(task.metrics[name].of(answers, rows)[0])


@pytest.mark.parametrize("name", [*NAMES, "walk"])
def test_the_drawn_data_never_change(name):
    """The hash of some examples: results of other versions stay comparable."""
    task = tasks.find(name)
    drawn = task.draw(7, 40)
    assert hashlib.sha256(repr(drawn).encode()).hexdigest()[:16] == DRAWN[name]
    assert task.draw(8, 40) != drawn


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_is_right_and_no_puzzle_is_in_two_splits(name):
    task = task_of(name, examples=FEW)
    keys = {}
    for split, n in (("train", FEW), ("val", 1000), ("test", 1000)):
        rows = task.rows(split)
        assert len(rows.prompt) == n
        keys[split] = {task.key(e) for e in examples(rows)}
        for metric in task.metrics.values():
            values, weights = metric.of(rows.truths, rows)
            assert (values[weights > 0] == 1).all()
    assert not keys["test"] & (keys["train"] | keys["val"])
    assert not keys["train"] & keys["val"]


@pytest.mark.parametrize("name", NAMES)
def test_other_answers_are_rejected(name):
    """Cut, continued, empty, of another puzzle, or of a token that is no word."""
    task = task_of(name, examples=FEW)
    main = {"maze": "valid_path"}.get(name, "solved")
    some = examples(task.rows("val"))[:50]
    others = some[1:] + some[:1]
    none = task.tokenizer.size  # EOS, MASK or another special token
    for (prompt, answer), (_, other) in zip(some, others, strict=True):
        assert value(task, main, prompt, answer) == 1
        assert value(task, main, prompt, []) == 0
        assert value(task, main, prompt, answer[:-1]) == 0
        assert value(task, main, prompt, answer + answer[-1:]) == 0
        assert value(task, main, prompt, [none, *answer[1:]]) == 0
        assert other == answer or value(task, main, prompt, other) == 0


IMPOSSIBLE = [
    ("sudoku", {"side": 6}, "has no grid of side 6"),
    ("sudoku", {"side": 9, "givens": 16}, "fewer than 17 givens never have one solution"),
    ("sudoku", {"side": 9, "givens": 20}, "fewer than 32 givens are too rare"),
    ("sudoku", {"givens": 3}, "fewer than 4 givens never have one solution"),
    ("sudoku", {"givens": 16}, "a grid of side 4 has 16 cells"),
    ("countdown", {"largest": 50, "target": 40}, "is larger than data.target = 40"),
    ("maze", {"side": 3, "loops": 5}, "takes at most 4 more openings"),
    ("maze", {"side": 3, "shortest": 10}, "has 9 cells"),
    ("walk", {"nodes": 4, "chords": 3}, "a cycle of 4 nodes has 2 chords"),
    ("zebra", {"houses": 5, "attributes": 5}, "have 24,883,200,000 assignments"),
]


@pytest.mark.parametrize(("name", "options", "message"), IMPOSSIBLE, ids=str)
def test_impossible_options_are_one_diagnostic(name, options, message):
    with pytest.raises(Failed) as failed:
        task_of(name, **options)
    [d] = failed.value.diagnostics
    assert d.code == "X506"
    assert message in f"{d.message} {d.hint}"


def test_too_few_puzzles_are_one_diagnostic():
    with pytest.raises(Failed) as failed:
        task_of("maze", side=2).rows("train")
    [d] = failed.value.diagnostics
    assert (d.code, d.message) == ("X506", "task `maze` draws too few puzzles that are new")


# sudoku


def solutions(cells, side, most=2):
    """Completions of a grid, 0 for an empty cell: by trying all digits of a cell that has few."""
    if 0 not in cells:
        return [cells]
    empty = (i for i, c in enumerate(cells) if not c)
    at = min(empty, key=lambda i: len(possible(cells, side, i)))
    found = []
    for digit in possible(cells, side, at):
        if len(found) < most:
            found += solutions([*cells[:at], digit, *cells[at + 1 :]], side, most)
    return found


def possible(cells, side, at):
    box = round(side**0.5)
    r, c = divmod(at, side)
    row, column = cells[r * side : (r + 1) * side], cells[c::side]
    corner = r // box * box * side + c // box * box
    inside = [cells[corner + i * side + j] for i in range(box) for j in range(box)]
    return [d for d in range(1, side + 1) if d not in (*row, *column, *inside)]


@pytest.mark.parametrize(("side", "givens", "n"), [(4, 4, 60), (4, 9, 20), (9, 34, 30)])
def test_a_sudoku_has_one_solution(side, givens, n):
    task = task_of("sudoku", side=side, givens=givens)
    drawn = task.draw(3, 4 * n)[:n]
    assert len(drawn) == n
    for prompt, answer in drawn:
        assert sum(map(bool, prompt)) == givens
        assert solutions(prompt, side) == [answer]


def test_control_a_sudoku_of_three_givens_has_more_solutions():
    """Of the 4 givens of a puzzle, none can be left out: the solver sees it."""
    for prompt, _ in task_of("sudoku", givens=4).draw(3, 40):
        for i in (i for i, p in enumerate(prompt) if p):
            assert len(solutions([*prompt[:i], 0, *prompt[i + 1 :]], 4)) >= 2


def test_the_grids_of_side_4_are_uniform():
    assert len({*sudoku.small_grids()}) == 288
    rng = Random(0)
    counts = Counter(tuple(sudoku.full_grid(4, rng)) for _ in range(20_000))
    every = [counts[g] for g in sudoku.small_grids()]
    follows(torch.tensor(every), torch.full((288,), 1 / 288, dtype=torch.float64))


def test_a_right_grid_without_the_givens_is_not_solved():
    [(prompt, answer), *_] = task_of("sudoku").draw(3, 9)
    other = [a % 4 + 1 for a in answer]  # every rule holds
    assert sudoku.right_units(prompt, other) == 1
    assert not sudoku.is_solved(prompt, other)
    wrong = [answer[1], answer[0], *answer[2:]]  # two columns and no row are wrong
    assert sudoku.right_units(prompt, wrong) == pytest.approx(10 / 12)


# countdown


def expression(rng, depth=3):
    """Operands and operators in turn; some operands are expressions in parentheses."""
    if not depth or rng.random() < 0.3:
        return str(rng.randint(1, 9))
    inner = [expression(rng, depth - 1) for _ in range(rng.choice((2, 2, 3)))]
    parts = [f"( {e} )" if " " in e else e for e in inner]
    return "".join(p + f" {rng.choice('+-*/')} " for p in parts)[:-3]


def test_expressions_have_the_values_that_python_computes():
    rng, task, seen = Random(0), task_of("countdown"), Counter()
    for _ in range(1000):
        text = expression(rng)
        code = " ".join(f"Fraction({w})" if w.isdigit() else w for w in text.split())
        try:
            right = eval(code)
        except ZeroDivisionError:
            right = None
        assert countdown.value(task.tokenizer.encode(text)) == right
        seen[right is None] += 1
    assert min(seen.values()) > 5


MALFORMED = ["+ 1", "1 +", "1 2", "( 1", "1 )", "( )", "1 + * 2", "- 1", "( 1 + 2", "1 ( 2 )", ""]


@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_no_expression_has_no_value(text):
    assert countdown.value(task_of("countdown").tokenizer.encode(text)) is None


@pytest.mark.parametrize(
    ("answer", "solved"),
    [
        ("( 3 + 4 ) * 5", True),
        ("5 * ( 4 + 3 )", True),
        ("7 * 5", False),  # 7 is not in the prompt
        ("5 * 5 + 5 + 5", False),  # 5 is used more than once
        ("3 + 4 * 5", False),  # 23
        ("( 3 + 4 ) * 5 )", False),
        ("( 3 + 4 * 5", False),
        ("3 4 5", False),
        ("35", False),
        ("5 / ( 3 - 3 )", False),
    ],
)
def test_a_solution_uses_each_number_once_and_equals_the_target(answer, solved):
    task = task_of("countdown")
    prompt, ids = (task.tokenizer.encode(text) for text in ("3 4 5 35", answer))
    assert value(task, "solved", prompt, ids) == solved


def test_a_solution_may_leave_numbers_out():
    task = task_of("countdown")
    assert countdown.is_solved(task.tokenizer.encode("3 4 5 7"), task.tokenizer.encode("3 + 4"))


# maze


def test_mazes_are_uniform_spanning_trees():
    for side, trees in ((2, 4), (3, 192)):
        rng = Random(1)
        counts = Counter(frozenset(maze.tree(side, rng)) for _ in range(12_000))
        assert len(counts) == trees  # the theorem of Kirchhoff
        assert all(len(tree) == side**2 - 1 for tree in counts)
        follows(torch.tensor([*counts.values()]), torch.full((trees,), 1 / trees).double())


def distance(openings, side, start, goal):
    """Steps of a shortest path, by powers of the adjacency matrix."""
    near = torch.zeros(side**2, side**2)
    for cell, word in enumerate(openings):
        for mark, other in ((">", cell + 1), ("v", cell + side)):
            if word[-1] in (mark, "+"):
                near[cell, other] = near[other, cell] = 1
    reached, steps = torch.eye(side**2)[start], 0
    while not reached[goal]:
        reached, steps = ((reached @ near) + reached > 0).float(), steps + 1
    return steps


def test_answers_are_shortest_paths():
    task = task_of("maze", side=5, loops=4)
    for prompt, answer in task.draw(5, 100):
        *openings, start, goal = words(task, prompt)
        cells = [5 * int(r) + int(c) for r, c in (w.split(",") for w in words(task, answer))]
        ends = [5 * int(r) + int(c) for r, c in (w.split(",") for w in (start, goal))]
        assert [cells[0], cells[-1]] == ends
        assert len(cells) - 1 == distance(openings, 5, *ends)


def test_a_path_through_a_wall_is_invalid_and_a_detour_is_not_the_shortest():
    task = task_of("maze", side=2)
    grid = "0,0+ 0,1v 1,0> 1,1-"  # openings between all neighbours
    ids = task.tokenizer.encode
    prompt, open_to = ids(f"{grid} 0,0 0,1"), ids("0,0+ 0,1v 1,0- 1,1- 0,0 0,1")
    straight, around = ids("0,0 0,1"), ids("0,0 1,0 1,1 0,1")
    assert [value(task, m, prompt, straight) for m in ("valid_path", "shortest")] == [1, 1]
    assert [value(task, m, prompt, around) for m in ("valid_path", "shortest")] == [1, 0]
    assert value(task, "valid_path", open_to, around) == 0  # a wall between 1,0 and 1,1
    assert value(task, "valid_path", prompt, straight[::-1]) == 0
    assert value(task, "valid_path", prompt, ids("0,0 1,1 0,1")) == 0  # a diagonal step


# zebra


def satisfied(clue, house):
    kind, a, b = clue
    at, other = house[a], int(b) - 1 if kind == "at" else house[b]
    return {
        "at": at == other,
        "same": at == other,
        "apart": at != other,
        "left": at == other - 1,
        "near": abs(at - other) == 1,
    }[kind]


@pytest.mark.parametrize(("houses", "attributes", "n"), [(3, 3, 20), (4, 2, 10), (2, 4, 10)])
def test_a_zebra_puzzle_has_one_solution_and_no_needless_clue(houses, attributes, n):
    task = task_of("zebra", houses=houses, attributes=attributes)
    names = [[f"{c}{v + 1}" for v in range(houses)] for c in "abcd"[:attributes]]
    every = [
        {v: h for group, places in zip(names, each, strict=True)
         for v, h in zip(group, places, strict=True)}
        for each in product(permutations(range(houses)), repeat=attributes)
    ]  # fmt: skip
    for prompt, answer in task.draw(3, n):
        text = words(task, prompt)
        clues = [tuple(text[i : i + 3]) for i in range(0, len(text), 3)]
        right = [h for h in every if all(satisfied(c, h) for c in clues)]
        assert [
            [v for house in range(houses) for v in sorted(h) if h[v] == house] for h in right
        ] == [words(task, answer)]
        for left_out in clues:
            rest = [c for c in clues if c != left_out]
            assert sum(all(satisfied(c, h) for c in rest) for h in every) > 1
        for h in every[:: max(1, len(every) // 40)]:
            table = [v for house in range(houses) for v in sorted(h) if h[v] == house]
            ids = task.tokenizer.encode(" ".join(table))
            assert value(task, "solved", prompt, ids) == (h in right)


def test_a_table_with_a_value_twice_is_no_assignment():
    task = task_of("zebra")
    [(prompt, answer)] = task.draw(3, 1)
    assert value(task, "clues", prompt, answer) == 1
    assert value(task, "clues", prompt, [answer[3], *answer[1:]]) == 0
    assert value(task, "clues", prompt, [answer[1], answer[0], *answer[2:]]) == 0
