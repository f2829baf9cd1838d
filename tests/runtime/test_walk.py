"""Random walks: their data follow the law, and their metrics measure the divergence from it."""

import json
from dataclasses import replace
from itertools import product

import pytest
import torch
from laws.sampled_laws import ALARM, follows
from package_runs import run

from xlm_spec.laws.toy_distribution import p_value
from xlm_spec.runtime import tasks
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.tasks.task import Rows
from xlm_spec.runtime.tasks.walk import Divergence, Law, Transitions, Walk


def task_of(**options):
    task = tasks.find("walk")
    return task.with_options(replace(task.options, **options))


def even(law):
    """The law of walks that choose all neighbours with equal probability: a wrong one."""
    step = (law.step > 0).double()
    return Law(law.start, step / step.sum(1, keepdim=True), law.length)


def transitions(law, walks):
    """Counts of starts and of transitions at a late step, of the pairs that are possible."""
    k = len(law.start)
    late = torch.bincount(walks[:, -2] * k + walks[:, -1], minlength=k * k)
    possible = law.transitions.flatten() > 0
    assert not late[~possible].any()
    starts = torch.bincount(walks[:, 0], minlength=k)
    return starts, late[possible], law.transitions.flatten()[possible]


def test_the_data_follow_the_law():
    """Chi-square tests of the first node and of the last transition, each with a false-alarm rate
    of 1e-6; walks that choose neighbours evenly fail the second."""
    task = task_of(nodes=8, chords=4, visits=6)
    walks = task.rows("train").answer
    starts, late, expected = transitions(task.law, walks)
    follows(starts, task.law.start)
    follows(late, expected)
    wrong = even(task.law).draw(len(walks), generator(1))
    _, late, expected = transitions(task.law, wrong)
    assert p_value(late, expected) < ALARM


def test_the_entropy_is_that_of_all_walks():
    """Minus sum p log p over all 4^5 sequences; pi is stationary."""
    law = task_of(nodes=4, chords=1, visits=5).law
    every = torch.tensor([*product(range(4), repeat=5)])
    log_p = law.log_probability(every)
    p = log_p.exp()
    assert p.sum() == pytest.approx(1)
    assert law.entropy == pytest.approx(float(-p.xlogy(p).sum()))
    torch.testing.assert_close(law.start @ law.step, law.start)


def measured(law, answers):
    metric = Transitions(law, 3)
    for part in answers.split(300):
        metric.update(part)
    return metric.compute()


def test_exact_samples_have_the_total_variation_of_exact_samples():
    """Within 6 deviations; samples of a wrong law are more than 20 above."""
    law = task_of().law
    off = []
    for source in (law, even(law)):
        found = measured(law, source.draw(1000, generator(5)))
        off.append((found["tv"] - found["tv_exact"]) / found["tv_exact_sd"])
        true = (source.transitions - law.transitions).abs().sum() / 2
        assert abs(found["tv"] - true) < found["tv_exact"] + 6 * found["tv_error"]
    assert abs(off[0]) < 6
    assert off[1] > 20


def test_a_token_that_is_no_node_counts_as_a_wrong_transition():
    law = task_of().law
    walks = law.draw(1000, generator(6))
    walks[:, 1] = len(law.start)  # a special token: 2 of 23 transitions are wrong
    assert measured(law, walks)["tv"] > 1.9 / 23
    assert measured(law, torch.zeros(0, 0, dtype=torch.long))["tv"] == 1  # no samples


def test_a_walk_is_legal_if_it_has_the_length_and_follows_edges():
    task = task_of(nodes=5, chords=0, visits=4)  # a cycle
    of = task.metrics["law_legal"].of
    answers = torch.tensor([
        [0, 1, 2, 3, -1],
        [4, 0, 4, 3, -1],
        [0, 2, 3, 4, -1],  # no edge from 0 to 2
        [0, 1, 2, -1, -1],  # too short
        [0, 1, 2, 3, 4],  # too long
        [0, 1, 5, 1, -1],  # no node
        [-1, -1, -1, -1, -1],
    ])  # fmt: skip
    rows = Rows(answers[:, :0], answers[:, 0] * 0, answers, answers[:, 0] * 0)
    assert of(answers, rows)[0].tolist() == [1, 1, 0, 0, 0, 0, 0]
    assert of(answers[:, :3], rows)[0].sum() == 0


def test_the_divergence_is_that_of_the_laws():
    """KL(p | q) of two known laws; 0 of the law itself."""
    task = task_of(visits=10)
    law, rows = task.law, task.rows("train")
    other = even(law)
    kl = law.transitions * (law.step / other.step).log().nan_to_num(0, 0, 0)
    for q, expected in ((law, 0.0), (other, 9 * float(kl.sum()))):
        metric = Divergence(law)
        for part in range(0, len(rows.prompt), 5000):
            some = rows.take(slice(part, part + 5000))
            metric.update(-q.log_probability(some.answer), some)
        found = metric.compute()
        assert abs(found["nats"] - expected) <= 5 * found["error"] + 1e-9
    assert found["nats"] > 50 * found["error"]


def test_the_graph_has_its_edges():
    for chords in (0, 5, 54):
        law = task_of(nodes=12, chords=chords).law
        assert int((law.step > 0).sum()) == 2 * (12 + chords)
        weights = law.step * law.start[:, None]
        torch.testing.assert_close(weights, weights.T)  # reversible
    assert torch.equal(Walk().law.step, task_of().law.step)
    assert not torch.equal(Walk().law.step, task_of(seed=1).law.step)


@pytest.mark.slow
def test_eval_reports_the_divergence(tmp_path):
    """Of a model that is hardly trained; that of dfm has no likelihood."""
    small = ["--set", "backbone.layers=1", "--set", "backbone.width=32", "--set",
             "backbone.heads=2", "--set", "data.visits=6", "--set", "train.sample_examples=10",
             "--set", "data.examples=200"]  # fmt: skip
    task = ["--task", "walk", "--size", "cpu", "--steps", 2, *small]
    for name in ("arlm", "dfm"):
        folder = tmp_path / name
        run(name, "train", *task, "--run", folder)
        words = ["eval", "--run", folder, "--limit", 200, "--json"]
        found = json.loads(run(name, *words).stdout)
        assert 0 <= found["law_legal"] < 1
        assert found["law_tv"] > found["law_tv_exact"] + 5 * found["law_tv_exact_sd"]
        if name == "arlm":
            entropy = task_of(visits=6).law.entropy
            assert found["law_kl_nats"] > 0
            off = found["loss"] * 7 - entropy - found["law_kl_nats"]  # 6 nodes and EOS
            assert abs(off) < 6 * found["loss_error"] * 7 + 1
        else:
            assert "law_kl_nats" not in found
