"""Methods of custom components in wrong/, most with one error, which a law detects.

The correct ones break no law, though most of their components have no law file.
"""

from pathlib import Path

import pytest
import torch
from broken_packages import built, patched
from mutants import Mutant
from scheduling import shares

from xlm_spec import laws
from xlm_spec.compiler.build import build
from xlm_spec.laws.models import RandomModel

pytestmark = [pytest.mark.slow, pytest.mark.training]
WRONG = Path(__file__).parent / "wrong"

LEARNS = "training lowers the objective"
ENTROPY = "no trained model is better than the entropy"
KEPT = "corrupted sequences keep their fixed tokens and padding"
MINIMISER = "the bound equals the entropy at its minimiser"
COMPLETE = "samplers complete every sequence"
FOLLOWS = "with the exact model the sampler follows the data distribution"
TIMES = "each time is uniformly distributed"

# the laws that detect the error, and the claims that they refute
DETECTED = {
    "leaky": ([ENTROPY], ["bound"]),
    "greedy": ([KEPT], []),
    "high_unstated": ([MINIMISER], ["bound"]),
    "high": ([MINIMISER], ["bound"]),
    "focal_bound": ([MINIMISER, ENTROPY], ["bound"]),
    "short": ([COMPLETE, FOLLOWS], ["exact sampler short_ancestral"]),
    "rolled": ([FOLLOWS], ["exact sampler rolled_ancestral"]),
    "uniform_low": ([ENTROPY], ["bound"]),
    "uniform_sparing": ([ENTROPY], ["bound"]),
    "uniform_greedy": ([KEPT], []),
}
CORRECT = ["masked", "every_token", "uniform"]
LONG = ["mixed"]  # correct, too; minutes of training: `benchmarks.wrong_methods` verifies it


def package(name, into):
    return laws.load_package(build(WRONG / f"{name}.yaml", into).folder)


def test_every_method_is_tested():
    assert {f.stem for f in WRONG.glob("*.yaml")} == {*DETECTED, *CORRECT, *LONG, "late"}
    named = " ".join(f.read_text() for f in WRONG.glob("*.yaml"))
    assert all(f"./{f.name}" in named for f in WRONG.glob("*.py"))


@pytest.mark.parametrize("name", shares([*DETECTED], 3))
def test_a_wrong_method_breaks_a_law(name, tmp_path):
    m, (names, refuted) = package(name, tmp_path), DETECTED[name]
    results = [*laws.verify(m, [law for law in laws.LAWS if law.name in names])]
    assert {r.law for r in results if r.status == "failed"} == {*names}, results
    assert all(r.figure for r in results)
    claims = laws.claims_of(m, results)
    assert [c.claim for c in claims if c.verdict == "refuted"] == refuted


@pytest.mark.parametrize("name", shares(CORRECT, 2))
def test_a_correct_method_breaks_none(name, tmp_path):
    results = [*laws.verify(package(name, tmp_path))]
    assert [r.line() for r in results if r.broken or r.status == "error"] == []
    assert {r.law for r in results if r.status == "held"} >= {KEPT, COMPLETE}


def test_times_of_another_density_are_a_warning(tmp_path):
    """The package has no bound of log p(x), which would need them."""
    m = package("late", tmp_path)
    assert laws.claims_of(m, [])[0].claim == "exact sampler ancestral"
    [time] = laws.verify(m, [law for law in laws.LAWS if law.name == TIMES])
    assert time.status == "warned"


SEES = Mutant(
    "attention to the next token",
    "left to right",
    "model",
    "mixed = F.scaled_dot_product_attention(q, k, v, mask, is_causal=causal)",
    """ahead = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool).tril(1)
        mixed = F.scaled_dot_product_attention(q, k, v, ahead if causal else mask)""",
)


def test_a_model_that_sees_the_answer_is_not_exact(tmp_path):
    """Minus its log-likelihood is nearly zero. The control: the correct package."""
    folder = built(SEES.spec, tmp_path)
    only = [law for law in laws.LAWS if law.name == ENTROPY]
    [right] = laws.verify_package(folder, only)
    assert right.status == "held"
    patched(SEES, folder)
    m = laws.load_package(folder)
    [wrong] = laws.verify(m, only)
    assert wrong.status == "failed"
    entropy = m.toy_distribution().entropy
    assert entropy - wrong.figure.value < 0.2
    assert laws.claims_of(m, [wrong])[0].line() == f'exact likelihood: refuted by "{ENTROPY}"'


def reads_a_missing_head(m):
    """A model of the laws without heads: its loss fails in the code of the package."""
    x = m.examples(*m.toy_distribution().batch())
    m.module.objective(RandomModel({}, ()), x, m.config, torch.Generator())


def raises(m):
    raise KeyError("gap_count")


@pytest.mark.parametrize("measure", [raises, reads_a_missing_head])
def test_an_exception_of_a_law_is_not_a_failure_of_the_method(measure, tmp_path):
    law = laws.Law("every law", lambda m: "", measure)
    m = laws.load_package(built("masked", tmp_path))
    [result] = laws.verify(m, [law])
    assert (result.status, result.broken) == ("error", False)
    assert result.why.startswith("the law could not be evaluated: ")


def test_an_exception_of_the_package_is_a_failure(tmp_path):
    folder = built("masked", tmp_path)
    loss = folder / "method" / "loss.py"
    loss.write_text(loss.read_text().replace("model.token_logits", "model.no_logits"))
    [result] = laws.verify_package(folder, [law for law in laws.LAWS if law.name == LEARNS])
    assert result.status == "failed"
    assert "no_logits" in result.why
