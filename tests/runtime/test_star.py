"""Star graphs: the drawn data, and no leak of the answer."""

import hashlib
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from laws.sampled_laws import ALARM, follows

from xlm_spec.laws.toy_distribution import p_value
from xlm_spec.runtime import tasks
from xlm_spec.runtime.data.rows import Rows
from xlm_spec.runtime.tasks.star import SPLITS, Options

NAMES = ("star_mini", "star_easy", "star_medium", "star_hard")
DRAWN = {
    ("star_mini", "train"): "29c6cfb098aa836e",
    ("star_mini", "test"): "068136b1a0de863f",
    ("star_easy", "train"): "e31465dd569a8c4d",
    ("star_easy", "test"): "c88b2ea03d65a1bb",
}


def texts(rows):
    """Prompts and answers as lists, without padding."""
    return zip(
        [p[:n] for p, n in zip(rows.prompt.tolist(), rows.prompt_length.tolist(), strict=True)],
        [a[:n] for a, n in zip(rows.answer.tolist(), rows.answer_length.tolist(), strict=True)],
        strict=True,
    )


def graph(prompt):
    return list(zip(prompt[:-2:2], prompt[1:-1:2], strict=True))


@pytest.mark.parametrize(("name", "split"), DRAWN)
def test_the_drawn_data_never_change(name, split):
    """The hash of all rows: results of other versions stay comparable."""
    rows = tasks.find(name).rows(split)
    digest = hashlib.sha256(b"".join(t.numpy().tobytes() for t in rows[:4]))
    assert digest.hexdigest()[:16] == DRAWN[name, split]


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_is_the_path_in_its_own_prompt(name):
    task = tasks.find(name)
    for split, size in SPLITS.items():
        rows = task.rows(split)
        assert len(rows.prompt) == size
        assert rows.prompt.shape[1] == task.longest_prompt >= int(rows.prompt_length.max())
        assert rows.answer.shape[1] == task.longest_answer == int(rows.answer_length.max())
    for prompt, path in list(texts(rows))[:500]:
        edges = graph(prompt)
        nodes = {v for e in edges for v in e}
        assert prompt[-2:] == [path[0], path[-1]]
        assert set(pairwise(path)) <= set(edges)
        assert max(Counter(a for a, _ in edges).values()) == task.degree
        assert len(nodes) == len(edges) + 1 <= task.labels
        assert nodes <= set(range(task.labels))


@pytest.mark.parametrize("name", ["star_mini", "star_medium"])
def test_an_answer_in_edges_is_the_same_path(name):
    task = tasks.find(name)
    edges = task.with_options(Options(format="edges"))
    assert edges.longest_answer == 2 * (task.longest_answer - 1)
    for (p, path), (q, walk) in zip(texts(task.rows("val")), texts(edges.rows("val")), strict=True):
        assert p == q
        assert list(zip(walk[::2], walk[1::2], strict=True)) == list(pairwise(path))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_prompt_of_one_split_is_in_another(name):
    """Nor in an order of its own."""
    task = tasks.find(name)
    seen = {
        split: {(*sorted(graph(p)), *p[-2:]) for p, _ in texts(task.rows(split))}
        for split in SPLITS
    }
    assert not seen["test"] & seen["train"]
    assert not seen["val"] & seen["train"]
    assert not seen["val"] & seen["test"]


def cells(task):
    """Every (length, place of the junction) of an arm, and its probability."""
    lengths = range(task.shortest, task.longest + 1)
    keys = [(n, j) for n in lengths for j in range(n - task.plan)]
    law = [1 / (n - task.plan) / len(lengths) for n, _ in keys]
    return keys, torch.tensor(law, dtype=torch.float64)


def counted(task, arms):
    """How often each cell occurs among arms (N, degree, longest)."""
    first, second = arms[:, 0], arms[:, 1]
    shared = (first[:, :, None] == second[:, None, :]).any(2) & (first >= 0)
    junction = first[shared][:, None, None]  # the one node that two arms have
    places = (arms == junction).long().argmax(2).flatten().tolist()
    lengths = (arms >= 0).sum(2).flatten().tolist()
    found = Counter(zip(lengths, places, strict=True))
    keys, _ = cells(task)
    return torch.tensor([found[k] for k in keys], dtype=torch.float64)


@pytest.mark.parametrize("name", ["star_medium", "star_hard"])
def test_law_of_lengths_and_junctions(name):
    """L ~ U{shortest .. longest}, J ~ U{0 .. L - plan - 1}, in every arm (false alarms: 1e-6)."""
    task = tasks.find(name)
    _, law = cells(task)
    counts = counted(task, task.arms(20_000, torch.Generator().manual_seed(0)))
    follows(counts, law)
    assert p_value(counts, torch.full_like(law, 1 / len(law))) < ALARM  # not uniform over pairs
    biased = replace(task, plan=task.plan + 1).arms(20_000, torch.Generator().manual_seed(0))
    assert p_value(counted(task, biased), law) < ALARM


@pytest.mark.slow
def test_law_of_the_path_in_the_rows():
    """What training sees of the same law: length of the path, and where it crosses the junction."""
    task = tasks.find("star_medium")
    found = Counter()
    for prompt, path in texts(task.rows("train")):
        leave = Counter(a for a, _ in graph(prompt))
        found[len(path), next(i for i, v in enumerate(path) if leave[v] == task.degree)] += 1
    keys, law = cells(task)
    follows(torch.tensor([found[k] for k in keys], dtype=torch.float64), law)


@pytest.mark.parametrize("name", ["star_mini", "star_easy"])
def test_the_order_of_edges_does_not_reveal_the_arm(name):
    """The arm of the goal is no more often first in the prompt than any other: no leak of order."""
    found = tasks.find(name).rows("train")
    edges = found.prompt[:, :-2].unflatten(1, (-1, 2))
    first = edges[:, 0, 0] == found.prompt[:, -2]
    right = first & (edges[:, 0, 1] == found.answer[:, 1])
    share = right.sum() / first.sum()
    assert abs(float(share) - 1 / 3) < 5.5 * (2 / 9 / float(first.sum())) ** 0.5


def asked(answer, format):
    """valid_path and right_goal of answers to: edges 3 4, 0 1, 2 3, 1 2; from 0 to 3."""
    n = len(answer)
    prompt = torch.tensor([[3, 4, 0, 1, 2, 3, 1, 2, 0, 3, 9, 9]]).expand(n, -1)
    rows = Rows(prompt, torch.full((n,), 10), torch.zeros(n, 4).long(), torch.full((n,), 4))
    wide = max(map(len, answer))
    padded = torch.tensor([a + [-1] * (wide - len(a)) for a in answer])
    metrics = tasks.find("star_mini").with_options(Options(format=format)).metrics
    return [metrics[m].of(padded, rows)[0].tolist() for m in ("valid_path", "right_goal")]


def test_paths_and_goals_in_nodes():
    answers = [[0, 1, 2, 3], [0, 1, 2], [1, 2, 3], [0, 2, 3], [0, 1, 2, 3, 4], [0], [0, 3], []]
    path, goal = asked(answers, "nodes")
    assert path == [1, 1, 0, 0, 1, 0, 0, 0]
    assert goal == [1, 0, 1, 1, 0, 0, 1, 0]


def test_paths_and_goals_in_edges():
    answers = [[0, 1, 1, 2, 2, 3], [0, 1, 1, 2], [0, 1, 2, 3], [0, 1, 1, 2, 2], [0, 1], [0, 3], []]
    path, goal = asked(answers, "edges")
    assert path == [1, 1, 0, 0, 1, 0, 0]
    assert goal == [1, 0, 1, 0, 0, 1, 0]


@pytest.mark.parametrize("format", ["nodes", "edges"])
@pytest.mark.parametrize("name", ["star_easy", "star_medium"])
def test_every_truth_is_a_path_to_the_goal(name, format):
    task = tasks.find(name).with_options(Options(format=format))
    rows = task.rows("val")
    for metric in task.metrics.values():
        assert bool((metric.of(rows.truths, rows)[0] == 1).all())
    other = rows._replace(prompt=rows.prompt.roll(1, 0), prompt_length=rows.prompt_length.roll(1))
    assert float(task.metrics["valid_path"].of(rows.truths, other)[0].mean()) < 0.01
