"""`xlm-spec diff`: differences between two specs, and between their packages."""

import re
import subprocess
import sys

import pytest
from methods import PLAIN, ROOT, text

from xlm_spec.compiler.diff import differences
from xlm_spec.compiler.plan import plan_of

SPECS = ROOT / "specs"


def diff(*words):
    command = [sys.executable, "-m", "xlm_spec", "diff", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True)


def rows(*paths):
    sections = differences([plan_of(p) for p in paths])
    return {k: values for s in sections for k, values in s.rows}


def test_only_differences_are_printed():
    told = diff(SPECS / "mdlm.yaml", SPECS / "mdlm_cosine.yaml").stdout
    assert (
        told
        == """\
mdlm: Masked diffusion language model
mdlm_cosine: Masked diffusion language model, cosine schedule
mdlm: arXiv:2406.07524
mdlm_cosine: arXiv:2406.04329

                mdlm    mdlm_cosine
noise
  schedule      linear  cosine
  schedule.eps  0.0     -

equal: target, loss, sampler, backbone, data, train
"""
    )


def test_a_default_is_not_a_difference(tmp_path):
    """A parameter with its default value is equal to an omitted parameter."""
    (tmp_path / "a.yaml").write_text(text(sampler="{kind: ancestral, steps: 128}"))
    (tmp_path / "b.yaml").write_text(text(sampler="ancestral"))
    (tmp_path / "c.yaml").write_text(text(sampler="{kind: ancestral, steps: 127}"))
    assert rows(tmp_path / "a.yaml", tmp_path / "b.yaml") == {}
    found = rows(tmp_path / "a.yaml", tmp_path / "b.yaml", tmp_path / "c.yaml")
    assert found == {"sampler.ancestral.steps": ("128", "128", "127")}


def test_every_section_can_differ(tmp_path):
    more = {"title": "A", "paper": "arXiv:1", "data": "{task: star_mini}", "train": "{lr: 1e-3}"}
    (tmp_path / "a.yaml").write_text(text(backbone="rotary_timed", **more))
    (tmp_path / "b.yaml").write_text(text(PLAIN))
    told = diff(tmp_path / "a.yaml", tmp_path / "b.yaml").stdout
    assert told.endswith("no section is equal\n")
    heads = [line.split()[0] for line in told.splitlines()[4:] if line[:1].isalpha()]
    assert heads == ["noise", "target", "loss", "sampler", "backbone", "data", "train", "no"]
    assert re.search(r"^backbone +rotary_timed +rotary$", told, re.M)
    found = rows(tmp_path / "a.yaml", tmp_path / "b.yaml")
    assert found["target"] == ("masked_tokens", "next_token")
    assert found["loss.cross_entropy.weight"] == ("elbo", "one")
    assert found["train.lr"] == ("0.001", "-")


def test_a_spec_and_itself():
    told = diff(SPECS / "mdlm.yaml", SPECS / "mdlm.yaml").stdout
    assert told == "equal: title, paper, noise, target, loss, sampler, backbone, data, train\n"


def test_the_packages(tmp_path):
    (tmp_path / "a.yaml").write_text(text(title="One thing"))
    (tmp_path / "b.yaml").write_text(text(title="Another"))
    told = diff(tmp_path / "a.yaml", tmp_path / "b.yaml", "--code").stdout.splitlines()
    assert '-"""One thing"""' in told or '-"""One thing."""' in told
    assert "--- method/method/__init__.py" in told
    assert not [x for x in told if "sampler.py" in x]  # equal files are left out
    gone = [x for x in told if x.startswith("-") and not x.startswith("--- ")]
    came = [x for x in told if x.startswith("+") and not x.startswith("+++ ")]
    count = told[-1].split()
    assert int(count[0]) > 400
    assert told[-1].endswith(
        f"lines shared, {len(gone)} only in method, {len(came)} only in method"
    )


def test_files_of_differently_named_packages_are_compared():
    told = diff(SPECS / "mdlm.yaml", SPECS / "mdlm_cosine.yaml", "--code").stdout
    assert "--- mdlm/mdlm/noise.py\n+++ mdlm_cosine/mdlm_cosine/noise.py\n" in told
    assert "--- mdlm/tests/test_mdlm.py\n+++ mdlm_cosine/tests/test_mdlm_cosine.py\n" in told
    assert ".xlm/" not in told


@pytest.mark.parametrize("more", [[], ["--code"]])
def test_an_invalid_spec_is_reported(more, tmp_path):
    done = diff(SPECS / "mdlm.yaml", tmp_path / "nowhere.yaml", *more)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("error[") == 1
    assert "error[X101]" in done.stderr
    assert diff(SPECS / "mdlm.yaml").returncode == 2
