"""A process that reads two schedules: `verify` tests the likelihood that it states."""

import pytest

from xlm_spec import laws
from xlm_spec.compiler.build import build

SPEC = """xlm_spec: 1
name: twice
noise: {process: ./twice.py, schedule: linear, drop_schedule: {kind: polynomial, power: 2}}
target: ./masked_places.py
loss: cross_entropy
sampler: {kind: fixed_budget, order: random}
backbone: rotary
"""
PROCESS = '''"""A token is masked if either of two clocks has fired."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..types import Examples, Schedule, State, Vocab


class Noised(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L)
    masked: Tensor  # (B, L) bool
    place: Tensor  # (B, L) long, the position itself


def corrupt(
    x: Examples,
    t: Tensor,
    schedule: Schedule,
    drop_schedule: Schedule,
    vocab: Vocab,
    rng: Generator,
) -> Noised:
    """x_t: masked with probability 1 - alpha(t) alpha_drop(t)."""
    u = torch.rand(x.tokens.shape, generator=rng, device=t.device)
    masked = x.valid & ~x.fixed & (u >= schedule.alpha(t) * drop_schedule.alpha(t))
    place = torch.arange(u.shape[1], device=t.device).expand_as(u)
    return Noised(x.tokens.masked_fill(masked, vocab.mask), x.valid, x.tokens, masked, place)


def likelihood(
    z: Noised, x: Examples, t: Tensor, schedule: Schedule, drop_schedule: Schedule, vocab: Vocab
) -> Tensor:
    """The product over the free positions, (B,)."""
    kept = schedule.alpha(t) * drop_schedule.alpha(t)
    each = torch.where(z.masked, 1 - kept, kept)
    same = (z.tokens == x.tokens.masked_fill(z.masked, vocab.mask)).all(1)
    return same * torch.where(x.valid & ~x.fixed, each, 1.0).prod(1)


def prior(x: Examples, vocab: Vocab) -> State:
    """All free positions masked."""
    tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)
    return State(tokens, x.valid.clone(), x.fixed.clone())
'''
TARGET = '''"""The masked tokens, at the positions that the process states."""

from torch import Tensor

from ..types import TokenPositions


def masked_places(clean: Tensor, masked: Tensor, place: Tensor) -> TokenPositions:
    """The token of x_0 at each masked position."""
    row, col = masked.nonzero(as_tuple=True)
    col = place.gather(1, place)[row, col]
    return TokenPositions(row, col, clean[row, col])
'''
FOLLOW = "corrupted sequences follow their likelihood"
SUM = "the probabilities of the corrupted sequences sum to one"
START = "samplers start from the noise at t = 1"
FORMULA = "every loss term equals its formula"
PADDING = "loss terms do not depend on padding"


def statuses(folder, process: str, target: str = "", also: str = "") -> dict[str, str]:
    spec = SPEC.replace("./masked_places.py", target) if target else SPEC
    (folder / "twice.yaml").write_text(spec)
    (folder / "twice.py").write_text(process)
    (folder / "masked_places.py").write_text(TARGET)
    package = build(folder / "twice.yaml", folder / "out").folder
    tested = [law for law in laws.LAWS if law.name in (FOLLOW, SUM, START, PADDING, also)]
    return {r.law: r.status for r in laws.verify_package(package, tested)}


@pytest.mark.slow
def test_a_likelihood_reads_both_schedules(tmp_path):
    assert statuses(tmp_path, PROCESS) == dict.fromkeys((FOLLOW, SUM, START, PADDING), "held")


@pytest.mark.slow
def test_control_a_likelihood_without_the_second_schedule(tmp_path):
    line = "    kept = schedule.alpha(t) * drop_schedule.alpha(t)\n"
    wrong = PROCESS.replace(line, line.replace(" * drop_schedule.alpha(t)", ""))
    assert statuses(tmp_path, wrong)[FOLLOW] == "failed"


@pytest.mark.slow
def test_a_formula_of_the_corrupted_set_is_not_tested_with_states(tmp_path):
    """The law file of the target reads the set, which the likelihood of the process replaces."""
    found = statuses(tmp_path, PROCESS, "masked_tokens", FORMULA)
    assert found == dict.fromkeys((FOLLOW, SUM, START, PADDING), "held") | {FORMULA: "n/a"}
