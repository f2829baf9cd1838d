"""The frontier: judge NLL against entropy, over temperatures and step counts, and its files."""

import csv
import json
import random
import xml.etree.ElementTree as ET

import pytest
import torch
from package_runs import run
from tiny_judge import tiny_judge

from xlm_spec.runtime.evaluation.frontier import Point, Scored
from xlm_spec.runtime.evaluation.frontier_plot import Axis, plot

SMALL = ["--task", "text", "--size", "cpu", "--set", "data.block=12", "--set", "backbone.width=16"]
SMALL += ["--set", "backbone.layers=1", "--set", "backbone.heads=1"]
SMALL += ["--set", "train.sample_examples=0"]


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    pytest.importorskip("transformers")
    return tiny_judge(tmp_path_factory.mktemp("judge"), 64, letters=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    place = tmp_path_factory.mktemp("frontier")
    rng = random.Random(0)
    (place / "a.txt").write_text("".join(rng.choice("aaaaabbc") for _ in range(3000)))
    run("mdlm", "train", *SMALL, "--set", f"data.file={place / 'a.txt'}", "--steps", 2,
        "--run", place / "run")  # fmt: skip
    return place / "run"


def test_the_points_of_a_run_and_their_files(trained, judge, tmp_path):
    words = ["frontier", "--run", trained, "--judge", judge, "--sampler", "ancestral", "-n", 12]
    words += ["--temperatures", "0.05,1", "--steps", "4,8", "--to", tmp_path / "f"]
    done = run("mdlm", *words)
    content = json.loads((tmp_path / "f" / "frontier.json").read_text())
    points = content["points"]
    assert content["protocol"] == "v1"
    assert content["judge"] == judge
    found = [(p["steps"], p["temperature"]) for p in points]
    assert found == [(f"steps={s}", t) for s in (4, 8) for t in (0.05, 1.0)] + [("", None)]
    assert points[-1]["sampler"] == "data"
    for p in points:
        assert p["samples"] == 12
        assert p["nll_low"] <= p["nll"] <= p["nll_high"]
        assert p["entropy_low"] <= p["entropy"] <= p["entropy_high"]
    cold, warm = points[2], points[3]  # 8 steps
    assert cold["entropy_high"] < warm["entropy_low"]  # a low temperature repeats itself
    assert warm["calls_per_example"] > points[1]["calls_per_example"]
    rows = list(csv.DictReader((tmp_path / "f" / "frontier.csv").open()))
    assert [float(r["nll"]) for r in rows] == [p["nll"] for p in points]
    assert (tmp_path / "f" / "frontier.md").read_text().strip() == done.stdout.strip()
    svg = ET.fromstring((tmp_path / "f" / "frontier.svg").read_text())
    dots = svg.findall("{http://www.w3.org/2000/svg}circle")
    assert len(dots) == len(points)


def test_eval_prints_the_nll_of_a_judge(trained, judge):
    found = json.loads(run("mdlm", "eval", "--run", trained, "--judge", judge, "--json").stdout)
    assert found["judge"] == judge
    assert found["generative_nll"] > 0


def test_the_band_of_a_mean():
    """95% of the bands hold the mean of the distribution, about; the NLL is per token."""
    rng, inside = torch.Generator().manual_seed(0), 0
    for _ in range(100):
        entropy = torch.randn(40, generator=rng).double() + 2
        tokens = torch.randint(5, 15, (40,), generator=rng).double()
        nats = tokens * (1 + 0.3 * torch.randn(40, generator=rng))
        found = Scored(nats, tokens, entropy, tokens).figures()
        assert found["nll"] == pytest.approx(float(nats.sum() / tokens.sum()))
        inside += found["entropy_low"] < 2 < found["entropy_high"]
        inside += found["nll_low"] < 1 < found["nll_high"]
    assert 176 <= inside <= 199  # of 200; a false alarm in about a thousand runs


def test_a_plot_of_one_point_has_an_area():
    p = Point("m", "s", 1.0, "", 3, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 5.0, 3.0)
    assert "NaN" not in plot([p], "t")
    assert len(Axis([1.0, 1.0], 0, 10).ticks) > 1
    assert "<script>" not in plot([Point(**(vars(p) | {"method": "<script>"}))], "t")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--temperatures", "0,1"), "X602"),
        (("--steps", "many"), "X602"),
        (("--sampler", "ancestrall"), "X703"),
        (("--judge", "/nowhere"), "X602"),
    ],
    ids=["temperature", "steps", "sampler", "judge"],
)
def test_a_wrong_flag_is_one_message(words, code, trained, judge, tmp_path):
    flags = ["--run", trained, "--judge", judge, "--to", tmp_path / "f"]
    done = run("mdlm", "frontier", *flags, *words, check=False)
    assert done.returncode == 1
    assert f"error[{code}]" in done.stderr
    assert not (tmp_path / "f").exists()
