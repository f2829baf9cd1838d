"""The exact model of a loss whose head predicts a number: it is built from the target alone.

In the package of FlexMDM; its other wrong versions are in `mutants/flexmdm.py`.
"""

import json
import shutil
from pathlib import Path

import pytest
from broken_packages import method
from methods import ROOT

from xlm_spec import laws
from xlm_spec.compiler.build import build
from xlm_spec.compiler.declarations import MINIMISER
from xlm_spec.laws.minimisers import MINIMISERS
from xlm_spec.laws.package import ANSWERS

ENTROPY = "the bound equals the entropy at its minimiser"
SLOPE = "the gradient of the bound is zero at its minimiser, and any other model is worse"


@pytest.fixture(scope="module")
def flexmdm(tmp_path_factory):
    return build(ROOT / "specs" / "flexmdm.yaml", tmp_path_factory.mktemp("flexmdm")).folder


def test_the_laws_know_every_minimiser_that_a_loss_can_declare():
    assert MINIMISER.form.allowed == " or ".join(f'"{name}"' for name in MINIMISERS)


def result(folder: Path, law: str):
    """The worst result of a law."""
    found = [*laws.verify(method(folder), [each for each in laws.LAWS if each.name == law])]
    return next((r for r in found if r.status != "held"), found[0])


@pytest.mark.slow
def test_a_declared_number_that_does_not_minimise_the_loss(flexmdm, tmp_path):
    """The control is the correct package."""
    folder = shutil.copytree(flexmdm, tmp_path / "flexmdm")
    file = folder / "flexmdm" / "ops.py"
    source = file.read_text()
    assert source.count("m - n - torch.xlogy(n, m)") == 1
    file.write_text(source.replace("torch.xlogy(n, m)", "n * torch.log1p(m)"))
    assert result(folder, SLOPE).status == "failed"
    assert result(flexmdm, SLOPE).status == "held"


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
