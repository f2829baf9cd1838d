"""The exact model of a loss whose head predicts a number: it is built from the target alone.

FlexMDM in `expected_count/` holds every law; each wrong version of it breaks one.
"""

import json
import shutil
from pathlib import Path

import pytest
from broken_packages import method
from methods import ROOT
from mutants import Mutant

from xlm_spec import laws
from xlm_spec.compiler.build import build
from xlm_spec.compiler.declarations import MINIMISER
from xlm_spec.laws.minimisers import MINIMISERS
from xlm_spec.laws.package import ANSWERS

ENTROPY = "the bound equals the entropy at its minimiser"
SLOPE = "the gradient of the bound is zero at its minimiser, and any other model is worse"
LIKELIHOOD = "corrupted sequences follow their likelihood"
SAMPLES = "after a prompt the sampler follows the conditional distribution"
WRONG = [
    (
        Mutant(
            "the rate of insertions is off by a tenth",
            "flexmdm",
            "noise",
            "return -drop_schedule.dalpha(t) / share",
            "return -1.1 * drop_schedule.dalpha(t) / share",
        ),
        ENTROPY,
    ),
    (
        Mutant(
            "the target is whether anything is missing",
            "flexmdm",
            "target",
            "GapCounts(count.float(), open)",
            "GapCounts(count.clamp(max=1).float(), open)",
        ),
        ENTROPY,
    ),
    (
        Mutant(
            "the declared number does not minimise the loss",
            "flexmdm",
            "loss",
            "torch.log(expected.clamp(min=1e-6))",
            "torch.log1p(expected)",
        ),
        SLOPE,
    ),
    (
        Mutant(
            "the likelihood takes masks for tokens",
            "flexmdm",
            "noise",
            "torch.where(seen, masked, 1 - dropped - masked)",
            "torch.where(seen, 1 - dropped - masked, masked)",
        ),
        LIKELIHOOD,
    ),
    (
        Mutant(
            "the sampler inserts by the schedule of masks",
            "flexmdm",
            "sampler",
            "share(drop_schedule, t, s) * (s > 0)",
            "share(schedule, t, s) * (s > 0)",
        ),
        SAMPLES,
    ),
]


@pytest.fixture(scope="module")
def flexmdm(tmp_path_factory):
    into = tmp_path_factory.mktemp("flexmdm")
    folder = shutil.copytree(ROOT / "tests" / "laws" / "expected_count", into / "spec")
    return build(folder / "flexmdm.yaml", into).folder


def test_the_laws_know_every_minimiser_that_a_loss_can_declare():
    assert MINIMISER.form.allowed == " or ".join(f'"{name}"' for name in MINIMISERS)


def result(folder: Path, law: str):
    """The worst result of a law."""
    found = [*laws.verify(method(folder), [each for each in laws.LAWS if each.name == law])]
    return next((r for r in found if r.status != "held"), found[0])


@pytest.mark.slow
def test_the_correct_version_keeps_them(flexmdm):
    assert {result(flexmdm, law).status for _, law in WRONG} == {"held"}


@pytest.mark.slow
@pytest.mark.parametrize(("wrong", "law"), WRONG, ids=lambda w: getattr(w, "name", ""))
def test_a_wrong_version_breaks_its_law(wrong, law, flexmdm, tmp_path):
    folder = shutil.copytree(flexmdm, tmp_path / "flexmdm")
    file = folder / "flexmdm" / f"{wrong.file}.py"
    source = file.read_text()
    assert source.count(wrong.old) == 1
    file.write_text(source.replace(wrong.old, wrong.new))
    assert result(folder, law).status == "failed"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "declared", "why"),
    [
        ("count_divergence", "posterior", "its target is not a token at some positions"),
        ("cross_entropy", "expected_count", "its target is not one number for each position"),
    ],
)
def test_a_minimiser_that_the_target_does_not_allow_is_named(
    loss, declared, why, flexmdm, tmp_path
):
    folder = shutil.copytree(flexmdm, tmp_path / "flexmdm")
    head, _, text = (folder / ANSWERS).read_text().partition("\n")
    answers = json.loads(text)
    assert answers["ir"]["minimisers"].keys() == {"cross_entropy", "count_divergence"}
    answers["ir"]["minimisers"][loss] = declared
    (folder / ANSWERS).write_text(f"{head}\n{json.dumps(answers)}")
    found = result(folder, ENTROPY)
    assert found.status == "unverified"
    assert found.why == f"loss {loss} has the MINIMISER {declared}, but {why}"
