"""The corrector of insertions keeps the distribution of x_s; wrong ones do not."""

import inspect

import pytest
from methods import GROWN, package

from xlm_spec.laws import check_law, load_package
from xlm_spec.laws.corrector_laws import kept
from xlm_spec.laws.law import LAWS

SAMPLER = "{kind: insertion_leaping, corrector: [reverse_rate: {moves: 3}]}"
WRONG = {
    "insertions at the rate of the noise": ("rate = alpha * rate.index", "rate = rate.index"),
    "drops that are always accepted": ("drops & (u[1] * ratio < 1)", "drops"),
    "the number of tokens before an insertion": (
        "free.sum(1, keepdim=True) + inserts",
        "free.sum(1, keepdim=True).clamp(min=1)",
    ),
    "more drops than insertions": ("drops = (u[0] < 0.5)", "drops = (u[0] < 0.7)"),
    "heads at the longer sequence": (
        "model(less.tokens, less.valid, s)",
        "model(state.tokens, state.valid, s)",
    ),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The method of the package."""
    folder = tmp_path_factory.mktemp("reverse")
    return load_package(folder / package(folder, GROWN, sampler=SAMPLER).__name__)


def statuses(m) -> set[str]:
    [law] = [law for law in LAWS if law.measure is kept]
    return {r.status for r in check_law(m, law)}


def test_it_keeps_the_distribution(made):
    assert statuses(made) == {"held"}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_corrector_does_not(made, wrong, monkeypatch):
    part, (old, new) = made.part("sampler"), WRONG[wrong]
    source = inspect.getsource(part.reverse_rate)
    assert source.count(old) == 1
    names = {**vars(part)}
    exec(source.replace(old, new), names)
    monkeypatch.setattr(part, "reverse_rate", names["reverse_rate"])
    assert statuses(made) == {"failed"}
