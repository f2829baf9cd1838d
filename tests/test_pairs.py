"""Every pair of axis values that `check` accepts together builds, trains a step and samples."""

import itertools

import pytest
import torch
from making import checked, package, text

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import cards
from xlm_spec.diagnostics import Failed

NOISE = [
    "{process: " + ", ".join(parts) + "}"
    for process in cards(axes.PROCESS)
    for schedule in [None, *cards(axes.SCHEDULE)]
    for time in [None, *cards(axes.TIME)]
    for parts in [
        [process]
        + ([f"schedule: {schedule}"] if schedule else [])
        + ([f"time: {time}"] if time else [])
    ]
]
TARGETS = list(cards(axes.TARGET))
LOSSES = [f"[{c}: {{weight: {w}}}]" for c in cards(axes.LOSS) for w in axes.WEIGHTS]
SAMPLERS = [
    "{kind: " + ", ".join(parts) + "}"
    for kind in cards(axes.SAMPLER)
    for sites in [None, *cards(axes.SITES)]
    for tokens in [None, *cards(axes.TOKENS)]
    for parts in [
        [kind] + ([f"sites: {sites}"] if sites else []) + ([f"tokens: {tokens}"] if tokens else [])
    ]
]


def accepted() -> tuple[list[dict[str, str]], set[str]]:
    """All combinations that pass, and the kinds of diagnostics that the others end in."""
    out, refused = [], set()
    for noise, target, loss, sampler in itertools.product(NOISE, TARGETS, LOSSES, SAMPLERS):
        parts = {"noise": noise, "target": target, "loss": loss, "sampler": sampler}
        try:
            checked(text(parts))
            out.append(parts)
        except Failed as e:
            refused.update(d.code[:2] if d.span else "no place" for d in e.diagnostics)
    return out, refused


def covering(combinations: list[dict[str, str]]) -> list[dict[str, str]]:
    """A few of them in which every pair of values that occurs together still does."""

    def pairs(c):
        return set(itertools.combinations(sorted(c.items()), 2))

    todo = set().union(*(pairs(c) for c in combinations))
    out = []
    while todo:
        best = max(combinations, key=lambda c: len(pairs(c) & todo))
        out.append(best)
        todo -= pairs(best)
    return out


ALL, REFUSED = accepted()


def test_enough_is_accepted_and_enough_refused():
    total = len(NOISE) * len(TARGETS) * len(LOSSES) * len(SAMPLERS)
    assert 100 < len(ALL) < total / 10
    assert {"X2", "X3"} >= REFUSED  # each with its place
    for axis in (
        axes.PROCESS,
        axes.SCHEDULE,
        axes.TIME,
        axes.TARGET,
        axes.SAMPLER,
        axes.SITES,
        axes.TOKENS,
    ):
        for value in cards(axis):
            assert any(value in part for c in ALL for part in c.values()), value


@pytest.mark.parametrize("parts", covering(ALL), ids=lambda p: " ".join(p.values()))
def test_it_builds_steps_and_samples(parts, tmp_path):
    method = package(tmp_path, parts)
    config = method.Config.small()
    torch.manual_seed(0)
    model = method.Model(config)
    tokens = torch.randint(0, 8, (4, 7))
    tokens[:, 0] = config.vocab.bos
    fixed = torch.zeros_like(tokens, dtype=torch.bool)
    fixed[:, :2] = True
    x = method.Examples(tokens, torch.ones_like(fixed), fixed)
    rng = torch.Generator().manual_seed(0)
    loss = sum(method.objective(model, x, config, rng).values())
    assert loss.shape == (4,)
    loss.mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    *_, last = method.sample(model.eval(), config, x, rng)
    assert torch.equal(last.tokens[fixed], tokens[fixed])
    written = last.tokens[last.valid & ~fixed]
    assert not torch.isin(written, torch.tensor(config.vocab.special)).any()
