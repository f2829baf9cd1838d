"""Samplers with the exact network: exact ones draw from the data, ancestral from its own law."""

from itertools import pairwise, product

import pytest
import torch
from laws.test_loss import config_of
from laws.world import (
    ALARM,
    LENGTH,
    MASK,
    SIZE,
    Conditional,
    Posterior,
    follows,
    generator,
    p_value,
    world,
)
from making import MASKED, PLAIN, package

W = world()
ROWS = 40_000
EXACT = {
    "first_hitting": (MASKED, "first_hitting"),
    "random": (MASKED, "{kind: fixed_budget, sites: random, per_step: 1}"),
    "left_to_right": (MASKED, "{kind: fixed_budget, sites: left_to_right, per_step: 1}"),
    "confidence": (MASKED, "{kind: fixed_budget, sites: confidence, per_step: 1}"),
    "margin": (MASKED, "{kind: fixed_budget, sites: margin, per_step: 1}"),
    "entropy": (MASKED, "{kind: fixed_budget, sites: entropy, per_step: 1}"),
    "entropy bound of zero": (MASKED, "{kind: entropy_bounded, gamma: 0}"),
    "blocks of 3": (MASKED, "{kind: first_hitting, outer: {kind: blocks, size: 3}}"),
    "blocks of 2": (MASKED, "{kind: first_hitting, outer: {kind: blocks, size: 2}}"),
    "blocks of 1": (MASKED, "{kind: ancestral, steps: 3, outer: {kind: blocks, size: 1}}"),
    "autoregressive": (PLAIN, "autoregressive"),
}


def drawn(method, model, rows: int = ROWS, seed: int = 0):
    """Counts of the texts that a package's sampler draws."""
    start = W.start(rows, method.Examples)
    *_, last = method.sample(model, config_of(method), start, generator(seed))
    return W.counts(last.tokens)


def exact(world) -> torch.Tensor:
    return torch.cat([world.p, torch.zeros(1, dtype=torch.float64)])


def oracle(base, world=W):
    return Posterior(world) if base is MASKED else Conditional(world)


@pytest.mark.parametrize("name", EXACT)
def test_exact_samplers_draw_from_the_data(name, tmp_path):
    base, sampler = EXACT[name]
    method = package(tmp_path, base, sampler=sampler)
    follows(drawn(method, oracle(base)), exact(W))


@pytest.mark.parametrize("name", EXACT)
def test_control_a_slightly_blurred_network_is_caught(name, tmp_path):
    base, sampler = EXACT[name]
    method = package(tmp_path, base, sampler=sampler)
    model = oracle(base)
    model.blur = 0.05
    assert p_value(drawn(method, model), exact(W)) < ALARM


def ancestral_law(steps: int) -> torch.Tensor:
    """The law of ancestral sampling in that many steps, by enumeration of states and transitions.

    In a step from t to s each masked site fires with probability (t - s) / t (linear schedule), and
    sites that fire together draw independently.
    """
    model = Posterior(W)
    chance = {(MASK,) * LENGTH: 1.0}
    for k in range(steps):
        t, s = 1 - k / steps, 1 - (k + 1) / steps
        chance = step_law(model, chance, (t - s) / t)
    return torch.tensor([chance.get(tuple(x[1:].tolist()), 0.0) for x in W.x], dtype=torch.float64)


def drawn_with(fire: float, p: torch.Tensor) -> list[tuple[int, float]]:
    return [(v, fire * float(p[v])) for v in range(SIZE)]


def step_law(model, chance: dict, fire: float) -> dict:
    out: dict = {}
    for state, mass in chance.items():
        tokens = torch.tensor([(int(W.x[0, 0]), *state)])
        p = model(tokens, tokens >= 0)[0].exp()
        choices = [
            [(v, 1.0)] if v != MASK else [(MASK, 1 - fire), *drawn_with(fire, p[i])]
            for i, v in enumerate(state, 1)
        ]
        for combination in product(*choices):
            weight = mass
            for _, w in combination:
                weight *= w
            if weight > 0:
                new = tuple(v for v, _ in combination)
                out[new] = out.get(new, 0.0) + weight
    return out


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_ancestral_follows_its_enumerated_law(steps, tmp_path):
    method = package(tmp_path, sampler=f"{{kind: ancestral, steps: {steps}}}")
    law = ancestral_law(steps)
    assert abs(float(law.sum()) - 1) < 1e-9
    follows(drawn(method, Posterior(W)), torch.cat([law, torch.zeros(1, dtype=torch.float64)]))


def test_ancestral_tends_to_the_data(tmp_path):
    """The error falls with the steps; at 512 it is below what 40,000 samples can tell."""
    distances = [float((ancestral_law(n) - W.p).abs().sum() / 2) for n in (2, 4, 8, 16)]
    assert all(a > 1.6 * b for a, b in pairwise(distances))
    method = package(tmp_path, sampler="{kind: ancestral, steps: 512}")
    follows(drawn(method, Posterior(W)), exact(W))


def both(tmp_path, one: str, other: str):
    """What two samplers write from the same start, with the same draws."""
    out = []
    for sampler in (one, other):
        method = package(tmp_path, sampler=sampler)
        start = W.start(200, method.Examples)
        start.fixed[:50, 2] = True
        start.tokens[:50, 2] = 1
        *_, last = method.sample(Posterior(W), config_of(method), start, generator())
        out.append(last)
    return out


@pytest.mark.parametrize("kind", ["first_hitting", "ancestral", "threshold", "mask_predict"])
def test_one_block_is_no_block(kind, tmp_path):
    one, other = both(tmp_path, kind, f"{{kind: {kind}, outer: {{kind: blocks, size: {LENGTH}}}}}")
    assert torch.equal(one.tokens, other.tokens)
    assert torch.equal(one.fixed, other.fixed)  # blocks leave no trace


def test_blocks_of_one_site_are_left_to_right(tmp_path):
    """Greedy, so that nothing depends on how many numbers are drawn."""
    greedy = "tokens: {kind: top_k, k: 1}"
    one, other = both(
        tmp_path,
        f"{{kind: fixed_budget, sites: left_to_right, {greedy}}}",
        f"{{kind: fixed_budget, sites: confidence, outer: {{kind: blocks, size: 1}}, {greedy}}}",
    )
    assert torch.equal(one.tokens, other.tokens)


def test_blocks_are_written_in_order(tmp_path):
    method = package(tmp_path, sampler="{kind: first_hitting, outer: {kind: blocks, size: 2}}")
    states = list(
        method.sample(Posterior(W), config_of(method), W.start(300, method.Examples), generator())
    )
    written = torch.stack([(s.tokens[:, 1:] != MASK) for s in states])  # (T, B, LENGTH)
    assert not written[:2, :, 2].any()
    assert written[2, :, :2].all()
    assert (written[1, :, 1] & ~written[1, :, 0]).any()  # the control: inside a block in any order


def test_control_two_ancestral_steps_are_not_the_data(tmp_path):
    method = package(tmp_path, sampler="{kind: ancestral, steps: 2}")
    assert p_value(drawn(method, Posterior(W)), exact(W)) < ALARM


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_first_hitting_times_are_the_times_of_the_noise(schedule, tmp_path):
    """The first of n masked sites comes back at s with (1 - alpha(s))^n uniform."""
    method = package(
        tmp_path, noise=f"{{process: mask, schedule: {schedule}}}", sampler="first_hitting"
    )
    times = method.sampler.times
    config = config_of(method)
    state = method.noise.prior(W.start(20_000, method.Examples), config.vocab)
    first = next(iter(times(state, config.noise.schedule, config.vocab, generator())))
    u = (1 - config.noise.schedule.alpha(first.s)) ** LENGTH
    counts = torch.bincount((u.flatten() * 20).long().clamp(max=19), minlength=20).double()
    uniform = torch.full((20,), 0.05, dtype=torch.float64)
    follows(counts, uniform)
    wrong = torch.bincount((u.flatten() ** 0.9 * 20).long().clamp(max=19), minlength=20).double()
    assert p_value(wrong, uniform) < ALARM


@pytest.mark.parametrize("name", EXACT)
def test_given_tokens_never_change(name, tmp_path):
    """Also in the middle of a text."""
    base, sampler = EXACT[name]
    method = package(tmp_path, base, sampler=sampler)
    start = W.start(500, method.Examples)
    start.fixed[:, 2] = True
    start.tokens[:, 2] = 1
    for state in method.sample(oracle(base), config_of(method), start, generator()):
        assert (state.tokens[:, 2] == 1).all()
    assert state.valid.all()


def test_infilling_between_given_tokens_is_exact(tmp_path):
    """With the middle token given, first-hitting draws from p(x | x_2 = 1)."""
    method = package(tmp_path, sampler="first_hitting")
    start = W.start(ROWS, method.Examples)
    start.fixed[:, 2] = True
    start.tokens[:, 2] = 1
    *_, last = method.sample(Posterior(W), config_of(method), start, generator())
    law = exact(W) * torch.cat([W.x[:, 2] == 1, torch.tensor([False])])
    follows(W.counts(last.tokens), law / law.sum())


@pytest.mark.parametrize("steps", [4, 300])
def test_the_network_is_called_only_where_something_fires(steps, tmp_path):
    """Each row is read at most once for each of its tokens, whatever the number of steps."""
    method = package(tmp_path, sampler=f"{{kind: ancestral, steps: {steps}}}")
    read = 0

    class Reader(Posterior):
        def __call__(self, tokens, valid, t=None):
            nonlocal read
            read += len(tokens)
            return super().__call__(tokens, valid, t)

    list(method.sample(Reader(W), config_of(method), W.start(100, method.Examples), generator()))
    assert read <= 100 * LENGTH
