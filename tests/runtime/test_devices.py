"""Several processes train the same model as one process, and compute the same scores."""

import json
import subprocess

import pytest
import torch
from methods import ROOT
from package_runs import TINY, lines, run
from warm_python import python

from xlm_spec.runtime.tasks import find
from xlm_spec.runtime.training.harness import Harness

pytestmark = pytest.mark.slow
SETS = [
    *TINY,
    *("--set", "backbone.dropout=0.1", "--set", "train.evaluate_every=10"),
    *("--set", "train.sample_examples=300", "--steps", "20"),  # 250 are a batch of validation
    *("--set", "data.metrics=[edit_distance, distinct, repetition, mauve, perplexity]"),
]
QUICK = {"mdlm": ["--set", "sampler.ancestral.steps=4"], "arlm": ["--set", "backbone.dropout=0"]}


def two(name, folder):
    """Two processes, gloo on the CPU."""
    command = [python(), "-m", name, "train", *SETS, *QUICK[name], "--devices", "2"]
    done = subprocess.run(
        [*command, "--run", str(folder)],
        cwd=ROOT / "generated" / name,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return folder


def one(name, folder, accumulate):
    sets = ["--set", f"train.accumulate={accumulate}"]
    run(name, "train", *SETS, *QUICK[name], *sets, "--run", folder)
    return folder


def apart(a, b):
    """The largest difference of a weight, averaged or current, between two runs."""
    found = [torch.load(f / "checkpoints" / "last.ckpt", weights_only=True) for f in (a, b)]
    pairs = [
        (found[0][part][k], found[1][part][k])
        for part in ("state_dict", "current_model_state")
        for k in found[0][part]
    ]
    return max(float((x.double() - y.double()).abs().max()) for x, y in pairs)


def figures(a, b):
    """The largest difference of a logged figure, by its name."""
    out: dict = {}
    for x, y in zip(lines(a), lines(b), strict=True):
        assert (x.pop("step"), x.pop("split")) == (y.pop("step"), y.pop("split"))
        assert set(x) == set(y)
        for k in x:
            out[k] = max(out.get(k, 0.0), abs(x[k] - y[k]))
    return out


def prompts(folder):
    """What validation at step 20 sampled for, over all ranks."""
    files = sorted((folder / "predictions").glob("val-0000020-*.jsonl"))
    return [json.loads(x)["prompt"] for f in files for x in f.read_text().splitlines()]


@pytest.fixture(scope="module")
def masked(place):
    """mdlm with dropout, in two processes."""
    return two("mdlm", place / "mdlm-two")


def test_two_processes_equal_two_micro_batches(masked, place):
    """Measured: the same weights to the bit, figures within 2.4e-7 (tolerance 1e-5 for both)."""
    halves = one("mdlm", place / "mdlm-halves", accumulate=2)
    assert apart(masked, halves) < 1e-5
    assert max(figures(masked, halves).values()) < 1e-5


def test_two_processes_score_each_example_once(masked, place):
    """300 prompts in batches of 250: both processes sample."""
    files = list((masked / "predictions").glob("val-0000020-*.jsonl"))
    assert len(files) == 2
    seen = prompts(masked)
    wanted = find("star_mini").rows("val").prompt[:300]
    assert sorted(seen) == sorted(" ".join(map(str, p)) for p in wanted.tolist())


def test_control_noise_that_depends_on_the_rank(masked, place, monkeypatch):
    """The control: both halves of a batch get the noise of rank 0; measured: 5.3e-3."""
    step = Harness.training_step
    by_rank = lambda self, batch, i: step(self, batch._replace(number=0), i)  # noqa: E731
    monkeypatch.setattr(Harness, "training_step", by_rank)
    assert apart(masked, one("mdlm", place / "mdlm-by-rank", accumulate=2)) > 1e-3


def test_without_noise_the_number_of_parts_does_not_matter(place):
    """arlm without dropout: weights within 1.2e-7, figures within 2.4e-7 (tolerance 1e-5)."""
    a = two("arlm", place / "arlm-two")
    b, c = (one("arlm", place / f"arlm-{n}", accumulate=n) for n in (1, 2))
    assert apart(a, b) < 1e-5
    assert apart(a, c) < 1e-5
    assert max(figures(a, b).values()) < 1e-5
