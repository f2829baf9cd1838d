"""Samplers that are not exact follow the law that they say: enumerated state by state.

Each law is written a second time, over tuples of tokens, straight from the paper's words; what a
package's sampler draws is held against it (chi-square, 40,000 samples, false alarms 1e-6). Each is
another law than the data's, which is the control: these samplers are not exact, and say so.
"""

from collections.abc import Callable
from itertools import product
from math import exp, log

import pytest
import torch
from laws.test_loss import config_of
from laws.world import ALARM, LENGTH, MASK, SIZE, Posterior, follows, generator, p_value, world
from making import package

W = world()
ROWS = 40_000
MODEL = Posterior(W)
Mixed = dict[tuple, float]  # state -> probability


def predicted(state: tuple) -> torch.Tensor:
    """p(v | what is visible) at each site, (LENGTH, SIZE)."""
    tokens = torch.tensor([(int(W.x[0, 0]), *state)])
    return MODEL(tokens, tokens >= 0)[0, 1:, :SIZE].exp()


def masked(state: tuple) -> list[int]:
    return [i for i, v in enumerate(state) if v == MASK]


def filled(state: tuple, sites: list[int]) -> Mixed:
    """Tokens drawn independently at some sites."""
    p = predicted(state)
    out: Mixed = {}
    for tokens in product(range(SIZE), repeat=len(sites)):
        new, chance = list(state), 1.0
        for i, v in zip(sites, tokens, strict=True):
            new[i], chance = v, chance * float(p[i, v])
        out[tuple(new)] = chance
    return out


def then(mixed: Mixed, step: Callable[[tuple], Mixed]) -> Mixed:
    """The law after one more step."""
    out: Mixed = {}
    for state, chance in mixed.items():
        for new, more in step(state).items():
            out[new] = out.get(new, 0.0) + chance * more
    return out


def law(mixed: Mixed) -> torch.Tensor:
    """Of the texts, and of anything else."""
    whole = [mixed.get(tuple(x[1:].tolist()), 0.0) for x in W.x]
    return torch.tensor([*whole, 1 - sum(whole)], dtype=torch.float64).clamp(min=0)


def drawn(tmp_path, sampler: str) -> torch.Tensor:
    method = package(tmp_path, sampler=sampler)
    start = W.start(ROWS, method.Examples)
    *_, last = method.sample(Posterior(W), config_of(method), start, generator())
    return W.counts(last.tokens)


def holds(tmp_path, sampler: str, mixed: Mixed) -> None:
    counts, mine = drawn(tmp_path, sampler), law(mixed)
    assert abs(float(mine[:-1].sum()) - 1) < 1e-9, "every text is finished"
    follows(counts, mine)
    assert p_value(counts, torch.cat([W.p, torch.zeros(1)])) < ALARM, "the control: not the data's"


# ---- which sites go, by what the network says of them --------------------------------------------


def confidence(p: torch.Tensor) -> float:
    return float(p.max())


def margin(p: torch.Tensor) -> float:
    first, second = p.sort(descending=True).values[:2].tolist()
    return first - second


def uncertainty(p: torch.Tensor) -> float:
    return -sum(float(x) * log(float(x)) for x in p if x > 0)


def best(state: tuple, score: Callable, n: int) -> list[int]:
    p = predicted(state)
    return sorted(masked(state), key=lambda i: -score(p[i]))[:n]


def sure(state: tuple, threshold: float) -> list[int]:
    p = predicted(state)
    return [i for i in masked(state) if p[i].max() >= threshold] or best(state, confidence, 1)


def bounded(state: tuple, gamma: float) -> list[int]:
    """The longest row of most certain sites whose entropies less the largest sum to gamma."""
    p = predicted(state)
    order = sorted(masked(state), key=lambda i: uncertainty(p[i]))
    sums = [sum(uncertainty(p[i]) for i in order[:n]) for n in range(len(order) + 1)]
    fits = [n for n in range(1, len(order) + 1) if sums[n] - uncertainty(p[order[n - 1]]) <= gamma]
    return order[: max(fits, default=0)]


ORDERS = {
    "{kind: fixed_budget, sites: confidence, per_step: 2}": lambda s: best(s, confidence, 2),
    "{kind: fixed_budget, sites: margin, per_step: 2}": lambda s: best(s, margin, 2),
    "{kind: fixed_budget, sites: entropy, per_step: 2}": lambda s: best(
        s, lambda p: -uncertainty(p), 2
    ),
    "{kind: threshold, threshold: 0.6}": lambda s: sure(s, 0.6),
    "{kind: threshold, threshold: 0.0}": masked,
    "{kind: entropy_bounded, gamma: 0.9}": lambda s: bounded(s, 0.9),
    "{kind: entropy_bounded, gamma: 2.0}": lambda s: bounded(s, 2.0),
}


@pytest.mark.parametrize("sampler", ORDERS)
def test_sites_go_as_the_rule_says(sampler, tmp_path):
    mixed: Mixed = {(MASK,) * LENGTH: 1.0}
    for _ in range(LENGTH):
        mixed = then(mixed, lambda s: filled(s, ORDERS[sampler](s)))
    holds(tmp_path, sampler, mixed)


def test_control_the_laws_differ(tmp_path):
    """Another threshold is caught."""
    mixed: Mixed = {(MASK,) * LENGTH: 1.0}
    for _ in range(LENGTH):
        mixed = then(mixed, lambda s: filled(s, sure(s, 0.8)))
    assert p_value(drawn(tmp_path, "{kind: threshold, threshold: 0.6}"), law(mixed)) < ALARM


# ---- tokens that are masked again; a state is (tokens, their confidence) -------------------------

EMPTY = ((MASK,) * LENGTH, (0.0,) * LENGTH)


def guessed(state: tuple, hide: int) -> Mixed:
    """A round of Mask-Predict: fill, then mask the least likely."""
    tokens, sure_of = state
    p = predicted(tokens)
    out: Mixed = {}
    for new, chance in filled(tokens, masked(tokens)).items():
        now = [float(p[i, new[i]]) if tokens[i] == MASK else sure_of[i] for i in range(LENGTH)]
        again = sorted(range(LENGTH), key=lambda i: now[i])[:hide]
        kept = tuple(MASK if i in again else v for i, v in enumerate(new))
        key = (kept, tuple(0.0 if i in again else round(c, 9) for i, c in enumerate(now)))
        out[key] = out.get(key, 0.0) + chance
    return out


def tokens_of(mixed: Mixed) -> Mixed:
    out: Mixed = {}
    for (tokens, _), chance in mixed.items():
        out[tokens] = out.get(tokens, 0.0) + chance
    return out


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_mask_predict(rounds, tmp_path):
    mixed: Mixed = {EMPTY: 1.0}
    for k in range(1, rounds + 1):
        mixed = then(mixed, lambda s, n=LENGTH * (rounds - k) // rounds: guessed(s, n))
    holds(tmp_path, f"{{kind: mask_predict, rounds: {rounds}}}", tokens_of(mixed))


def remasked(state: tuple, alpha_t: float, alpha_s: float, rule: Callable) -> Mixed:
    """A step of ReMDM; `rule(most, confidences of written tokens) -> sigma of each site`."""
    tokens, sure_of = state
    most = min(1.0, (1 - alpha_s) / alpha_t) if alpha_t > 0 else 1.0
    p, sigma = predicted(tokens), rule(most, tokens, sure_of)
    choices = []
    for i, v in enumerate(tokens):
        if v == MASK:
            fire = (alpha_s - (1 - sigma[i]) * alpha_t) / (1 - alpha_t)
            each = [((w, round(float(p[i, w]), 9)), fire * float(p[i, w])) for w in range(SIZE)]
            choices.append([((MASK, 0.0), 1 - fire), *each])
        else:
            choices.append([((v, sure_of[i]), 1 - sigma[i]), ((MASK, 0.0), sigma[i])])
    out: Mixed = {}
    for picked in product(*choices):
        chance = 1.0
        for _, c in picked:
            chance *= c
        if chance > 0:
            key = (tuple(v for (v, _), _ in picked), tuple(c for (_, c), _ in picked))
            out[key] = out.get(key, 0.0) + chance
    return out


def softest(most: float, tokens: tuple, sure_of: tuple) -> list[float]:
    """sigma of ReMDM-conf: softmax of minus the confidence, over written tokens."""
    weight = [0.0 if v == MASK else exp(-c) for v, c in zip(tokens, sure_of, strict=True)]
    return [most * w / sum(weight) if sum(weight) else 0.0 for w in weight]


REMASKING = {
    "{kind: cap, rate: 0.3}": lambda most, v, c: [min(0.3, most)] * LENGTH,
    "{kind: rescale, share: 0.4}": lambda most, v, c: [0.4 * most] * LENGTH,
    "confidence": softest,
}


def after(grid: list[tuple[float, float]], rule: Callable) -> list[Mixed]:
    """The laws after each step alpha_t -> alpha_s."""
    out: list[Mixed] = [{EMPTY: 1.0}]
    for alpha_t, alpha_s in grid:
        out.append(then(out[-1], lambda s, a=alpha_t, b=alpha_s: remasked(s, a, b, rule)))
    return out


GRID = [(0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0)]


@pytest.mark.parametrize("remasking", REMASKING)
def test_remask(remasking, tmp_path):
    laws = after(GRID, REMASKING[remasking])
    sampler = f"{{kind: remask, steps: 4, remasking: {remasking}}}"
    holds(tmp_path, sampler, tokens_of(laws[-1]))


@pytest.mark.parametrize("remasking", ["{kind: cap, rate: 0.3}", "{kind: rescale, share: 0.4}"])
def test_remasking_leaves_the_noise_level_as_it_was(remasking):
    """At each time a site is masked with probability 1 - alpha, whatever sigma."""
    for (_, alpha), mixed in zip(GRID, after(GRID, REMASKING[remasking])[1:], strict=True):
        for site in range(LENGTH):
            share = sum(c for (tokens, _), c in mixed.items() if tokens[site] == MASK)
            assert abs(share - (1 - alpha)) < 1e-9


@pytest.mark.parametrize("remasking", REMASKING)
def test_one_step_of_remask_writes_all_at_once(remasking, tmp_path):
    laws = after([(0.0, 1.0)], REMASKING[remasking])
    sampler = f"{{kind: remask, steps: 1, remasking: {remasking}}}"
    holds(tmp_path, sampler, tokens_of(laws[-1]))


def test_remask_loop(tmp_path):
    """One step down to alpha = 0.6, two while it waits, one to the end."""
    down = after([(0.0, 0.6)], lambda most, v, c: [0.0] * LENGTH)[-1]
    rule = REMASKING["{kind: cap, rate: 0.3}"]
    for _ in range(2):
        down = then(down, lambda s: remasked(s, 0.6, 0.6, rule))
    mixed = then(down, lambda s: remasked(s, 0.6, 1.0, lambda most, v, c: [0.0] * LENGTH))
    sampler = (
        "{kind: remask_loop, steps: 4, alpha: 0.6, before: 0.25, waits: 0.5,"
        " remasking: {kind: cap, rate: 0.3}}"
    )
    holds(tmp_path, sampler, tokens_of(mixed))


def test_control_another_rate_of_remasking_is_caught(tmp_path):
    mixed = tokens_of(after(GRID, lambda most, v, c: [min(0.1, most)] * LENGTH)[-1])
    sampler = "{kind: remask, steps: 4, remasking: {kind: cap, rate: 0.3}}"
    assert p_value(drawn(tmp_path, sampler), law(mixed)) < ALARM


def test_remasking_nothing_is_ancestral(tmp_path):
    """With sigma = 0 the step is the reverse posterior's."""
    plain = tokens_of(after(GRID, lambda most, v, c: [0.0] * LENGTH)[-1])
    holds(tmp_path, "{kind: remask, steps: 4, remasking: {kind: cap, rate: 0.0}}", plain)
    holds(tmp_path, "{kind: ancestral, steps: 4}", plain)


# ---- what holds for every one of them ------------------------------------------------------------

EVERY = [
    *ORDERS,
    "{kind: mask_predict, rounds: 4}",
    *(f"{{kind: remask, steps: 6, remasking: {r}}}" for r in REMASKING),
    "{kind: remask_loop, steps: 6}",
]


@pytest.mark.parametrize("blocks", ["", ", outer: {kind: blocks, size: 2}"])
@pytest.mark.parametrize("sampler", EVERY)
def test_given_tokens_stay_and_no_mask_is_left(sampler, blocks, tmp_path):
    """Tokens given in the middle, padding at the end, rows with nothing to write."""
    method = package(tmp_path, sampler=sampler[:-1] + blocks + "}")
    start = W.start(300, method.Examples)
    start.fixed[:200, 2], start.tokens[:200, 2] = True, 1
    start.valid[:100, 3] = False
    start.fixed[:50], start.tokens[:50, 1:] = True, 2
    start.fixed[:50, 3] = False
    states = list(method.sample(Posterior(W), config_of(method), start, generator()))
    for state in states:
        assert torch.equal(state.tokens[start.fixed], start.tokens[start.fixed])
        assert torch.equal(state.fixed, start.fixed)
        assert torch.equal(state.valid, start.valid)
    free = start.valid & ~start.fixed
    assert not (states[-1].tokens[free] == MASK).any()
    assert (states[0].tokens[free] == MASK).all()
