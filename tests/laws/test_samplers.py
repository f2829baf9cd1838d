"""Exact samplers follow the data distribution; every step of all follows its enumeration.

The enumerated distributions are written independently, from the papers (law files): chi-square
tests of every move, 10,000 samples, false-alarm rate 1e-6.
"""

from collections.abc import Iterator
from itertools import pairwise

import pytest
import torch
from laws.sampled_laws import ALARM, follows, holds, method
from methods import INSERTED, MASKED, PLAIN

from xlm_spec.laws import chains, exactness_laws, step_laws
from xlm_spec.laws.config_values import with_parameters
from xlm_spec.laws.exact_model import exact_model
from xlm_spec.laws.sampler_runs import run_sampler
from xlm_spec.laws.toy_distribution import LONGEST, MASK, p_value

pytestmark = pytest.mark.slow

DATA = "with the exact model the sampler follows the data distribution"
GIVEN = "after a prompt the sampler follows the conditional distribution"

EXACT = {
    "first_hitting": (MASKED, "first_hitting"),
    "random": (MASKED, "{kind: fixed_budget, order: random, tokens_per_step: 1}"),
    "left_to_right": (MASKED, "{kind: fixed_budget, order: left_to_right, tokens_per_step: 1}"),
    "confidence": (MASKED, "{kind: fixed_budget, order: confidence, tokens_per_step: 1}"),
    "margin": (MASKED, "{kind: fixed_budget, order: margin, tokens_per_step: 1}"),
    "entropy": (MASKED, "{kind: fixed_budget, order: entropy, tokens_per_step: 1}"),
    "entropy bound of zero": (MASKED, "{kind: entropy_bounded, gamma: 0}"),
    "threshold of one": (MASKED, "{kind: threshold, threshold: 1}"),
    "ancestral": (MASKED, "{kind: ancestral, steps: 512}"),
    "blocks of 3": (MASKED, "{kind: first_hitting, wrap: {blocks: {size: 3}}}"),
    "blocks of 2": (MASKED, "{kind: first_hitting, wrap: {blocks: {size: 2}}}"),
    "blocks of 1": (MASKED, "{kind: ancestral, steps: 512, wrap: {blocks: {size: 1}}}"),
    "autoregressive": (PLAIN, "autoregressive"),
    "insertion": (INSERTED, "{kind: insertion, stop: drawn}"),
    "joint insertion": (INSERTED, "{kind: joint_insertion, stop: drawn}"),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_samplers_follow_the_data_distribution(name, tmp_path):
    base, sampler = EXACT[name]
    m = method(tmp_path, base, sampler=sampler)
    holds(m, DATA)
    holds(m, GIVEN)


# ---- step by step, with the parameters of the spec -----------------------------------------------

REMASKING = ["{kind: cap, rate: 0.3}", "{kind: rescale, share: 0.4}", "confidence"]
MASKING = [
    "{kind: ancestral, steps: 1}",
    "{kind: ancestral, steps: 5}",
    "first_hitting",
    "{kind: fixed_budget, order: random, tokens_per_step: 2}",
    "{kind: fixed_budget, order: confidence, tokens_per_step: 1}",
    "{kind: fixed_budget, order: confidence, tokens_per_step: 2}",
    "{kind: fixed_budget, order: margin, tokens_per_step: 2}",
    "{kind: fixed_budget, order: entropy, tokens_per_step: 2}",
    "{kind: fixed_budget, order: left_to_right, tokens_per_step: 2}",
    "{kind: threshold, threshold: 0.0}",
    "{kind: threshold, threshold: 0.6}",
    "{kind: threshold, threshold: 0.8}",
    "{kind: entropy_bounded, gamma: 0.0}",
    "{kind: entropy_bounded, gamma: 0.9}",
    "{kind: entropy_bounded, gamma: 2.0}",
    *(f"{{kind: mask_predict, rounds: {n}}}" for n in (1, 2, 3, 4)),
    *(f"{{kind: remask, steps: {n}, remasking: {r}}}" for r in REMASKING for n in (1, 4)),
    "{kind: remask, steps: 4, remasking: {kind: cap, rate: 0.0}}",
    "{kind: remask_loop, steps: 4, alpha: 0.6, before: 0.25, during: 0.5,"
    " remasking: {kind: cap, rate: 0.3}}",
    "{kind: remask_loop, steps: 7, alpha: 0.9, before: 0.5, during: 0.3, remasking: confidence}",
]
BLOCKS = [
    f"{s[:-1] if s[0] == '{' else f'{{kind: {s}'}, wrap: {{blocks: {{size: 2}}}}}}"
    for s in MASKING[::3]
]
TRUNCATING = [
    f"{{kind: ancestral, steps: 3, tokens: {t}}}"
    for t in (
        "{kind: temperature, temperature: 0.7}",
        "{kind: top_k, k: 2}",
        "{kind: top_p, p: 0.8}",
        "{kind: min_p, share: 0.2}",
    )
]
AS_IN_CODE = [  # decoding as the code of LLaDA, Dream, MaskGIT, dLLM and Fast-dLLM has it
    "{kind: drawn_confidence, steps: 2, counts: masks_left, annealed: true, noise: 2}",
    "{kind: drawn_confidence, steps: 3, counts: floor, end: 0.1, noise: 0.3, eos_last: true}",
    "{kind: scheduled_budget, order: confidence, steps: 2, noise: 0.3}",
    "{kind: scheduled_budget, order: random, steps: 3, counts: binomial, wrap: logits_processor}",
    "{kind: drawn_threshold, threshold: 0.4, wrap: [blocks: {size: 2}, guidance: {keep: 0}]}",
    "{kind: drawn_factor, factor: 1.9, wrap: {suppress_tokens: {eos: true}}}",
    "{kind: entropy_bounded, gamma: 0.2, proxy: margin, tokens: {kind: top_p_below, p: 0.8}}",
    "{kind: entropy_bounded, gamma: 0.2, proxy: confidence}",
]
INSERTING = [
    "{kind: insertion, stop: drawn}",
    "{kind: insertion, stop: {kind: threshold, threshold: 0.3}}",
    "{kind: insertion, stop: drawn, gaps: {kind: top_k, k: 1}, tokens: {kind: top_p, p: 0.7}}",
    "{kind: joint_insertion, stop: drawn}",
    "{kind: joint_insertion, stop: drawn, tokens: {kind: top_k, k: 3}}",
]
APPENDING = ["autoregressive", "{kind: autoregressive, tokens: {kind: top_k, k: 2}}"]
EVERY = [
    *((MASKED, s) for s in (*MASKING, *BLOCKS, *TRUNCATING, *AS_IN_CODE)),
    *((INSERTED, s) for s in INSERTING),
    *((PLAIN, s) for s in APPENDING),
]


def deviation(m, moves, model=None) -> float:
    """-log10 of the p-value of the most surprising step."""
    [sampler] = m.samplers
    states = run_sampler(
        m,
        sampler,
        model or m.random_model(),
        m.start(m.toy_distribution(), exactness_laws.ROWS),
        {},
    )
    return chains.largest_surprise(states, moves)


def enumerated(m, **parameters) -> list[dict]:
    [sampler] = m.samplers
    config = with_parameters(m.config, {f"sampler.{k}": v for k, v in parameters.items()})
    return step_laws.enumerated(m, sampler, config, m.random_model())


@pytest.mark.parametrize(("base", "sampler"), EVERY, ids=lambda v: v if isinstance(v, str) else "")
def test_every_step_follows_its_distribution(base, sampler, tmp_path):
    m = method(tmp_path, base, sampler=sampler)
    moves = enumerated(m)
    assert moves
    for move in moves:
        assert abs(sum(move.values()) - 1) < 1e-9
    assert deviation(m, moves) < 6
    assert deviation(m, moves, m.random_model(seed=1)) > 6, "the control: another model"


NEIGHBOURS = [
    ("{kind: ancestral, steps: 4}", {"steps": 5}),
    ("{kind: threshold, threshold: 0.6}", {"threshold": 0.8}),
    ("{kind: entropy_bounded, gamma: 0.9}", {"gamma": 0.0}),
    ("{kind: entropy_bounded, gamma: 0.2, proxy: margin}", {"proxy": "confidence"}),
    ("{kind: drawn_confidence, steps: 2, noise: 0.3}", {"annealed": True}),
    ("{kind: scheduled_budget, order: random, steps: 4, counts: floor}", {"counts": "even"}),
    ("{kind: drawn_factor, factor: 1.9}", {"factor": 1.5}),
    ("{kind: mask_predict, rounds: 3}", {"rounds": 2}),
    ("{kind: remask, steps: 4, remasking: {kind: cap, rate: 0.3}}", {"remasking.rate": 0.2}),
    ("{kind: remask, steps: 4, remasking: {kind: rescale, share: 0.4}}", {"remasking.share": 0.3}),
    ("{kind: remask_loop, steps: 4, remasking: {kind: cap, rate: 0.3}}", {"alpha": 0.8}),
    ("{kind: ancestral, steps: 2, tokens: {kind: top_k, k: 2}}", {"tokens.k": 3}),
]


@pytest.mark.parametrize(("sampler", "parameters"), NEIGHBOURS, ids=str)
def test_control_similar_parameters_are_distinguished(sampler, parameters, tmp_path):
    m = method(tmp_path, sampler=sampler)
    assert deviation(m, enumerated(m)) < 6
    other = enumerated(m, **parameters)
    steps = len(enumerated(m))
    assert deviation(m, (other + other[-1:] * steps)[:steps]) > 6


# ---- tests of the enumeration itself -------------------------------------------------------------


def final(m, **parameters) -> torch.Tensor:
    """The distribution of a sampler of masked sequences with the exact model."""
    [sampler] = m.samplers
    w = m.toy_distribution()
    config = with_parameters(m.config, {f"sampler.{k}": v for k, v in parameters.items()})
    *_, last = step_laws.enumerated(m, sampler, config, exact_model(m, w))
    p: dict = {}
    for (_, after), chance in last.items():
        p[after] = p.get(after, 0.0) + chance
    return torch.tensor([p.get(tuple(w.encode(x)[1:]), 0.0) for x in w.sequences]).double()


def test_ancestral_converges_to_the_data_distribution(tmp_path):
    """The error decreases with the number of steps."""
    m = method(tmp_path, sampler="ancestral")
    p = m.toy_distribution().p
    errors = [float((final(m, steps=n) - p).abs().sum() / 2) for n in (2, 4, 8, 16)]
    assert all(a > 1.6 * b for a, b in pairwise(errors))


def test_control_two_ancestral_steps_are_not_exact(tmp_path):
    m = method(tmp_path, sampler="{kind: ancestral, steps: 2}")
    w = m.toy_distribution()
    assert (
        p_value(
            exactness_laws.sample_counts(m, "ancestral", exact_model(m, w), w, {}), with_others(w.p)
        )
        < ALARM
    )


def with_others(p):
    return torch.cat([p, torch.zeros(1).double()])


@pytest.mark.parametrize("rule", ["{kind: cap, rate: 0.3}", "{kind: rescale, share: 0.4}"])
def test_remasking_keeps_the_expected_share_of_masks(rule, tmp_path):
    """At each time a position is masked with probability 1 - alpha, for any sigma."""
    m = method(tmp_path, sampler=f"{{kind: remask, steps: 4, remasking: {rule}}}")
    for k, move in enumerate(enumerated(m), 1):
        for i in range(LONGEST):
            share = sum(p for (_, after), p in move.items() if after[i] == MASK)
            assert abs(share - (1 - k / 4)) < 1e-9


def test_remask_with_rate_zero_is_ancestral(tmp_path):
    """With sigma = 0 the step is the reverse posterior."""
    m = method(tmp_path, sampler="{kind: remask, steps: 4, remasking: {kind: cap, rate: 0.0}}")
    plain = method(tmp_path, sampler="{kind: ancestral, steps: 4}")
    for a, b in zip(enumerated(m), enumerated(plain), strict=True):
        assert a.keys() == b.keys()
        assert all(abs(a[k] - b[k]) < 1e-12 for k in a)


def test_moves_of_a_markov_chain():
    """A coin that is tossed until it shows heads."""
    steps = [lambda s: {s: 1.0} if s == "heads" else {"heads": 0.5, "tails": 0.5}] * 2
    first, second = chains.moves("tails", [(s, None) for s in steps], lambda s: s)
    assert first == {("tails", "heads"): 0.5, ("tails", "tails"): 0.5}
    assert second == {
        ("heads", "heads"): 0.5,
        ("tails", "heads"): 0.25,
        ("tails", "tails"): 0.25,
    }


# ---- all samplers of masked sequences ------------------------------------------------------------


@pytest.mark.parametrize("sampler", [*MASKING[1::2], *BLOCKS[1::2]])
def test_fixed_tokens_do_not_change_and_all_masks_are_unmasked(sampler, tmp_path):
    """With fixed tokens in the middle, padding at the end, and complete sequences."""
    m = method(tmp_path, sampler=sampler)
    start = m.start(m.toy_distribution(), 300)
    start.fixed[:200, 2], start.tokens[:200, 2] = True, 1
    start.valid[:100, 3] = False
    start.fixed[:50], start.tokens[:50, 1:] = True, 2
    start.fixed[:50, 3] = False
    states = states_of(m, start)
    for state in states:
        assert torch.equal(state.tokens[start.fixed], start.tokens[start.fixed])
        assert torch.equal(state.fixed, start.fixed)
        assert torch.equal(state.valid, start.valid)
    free = start.valid & ~start.fixed
    assert not (states[-1].tokens[free] == MASK).any()
    assert (states[0].tokens[free] == MASK).all()


def states_of(m, start) -> list:
    [sampler] = m.samplers
    return run_sampler(m, sampler, m.random_model(), start, {})


def test_infilling_between_fixed_tokens_is_exact(tmp_path):
    """With a fixed token in the middle, first-hitting samples from p(x | x_2 = 1)."""
    m = method(tmp_path, sampler="first_hitting")
    w = m.toy_distribution()
    start = m.start(w, 40_000)
    start.fixed[:, 2], start.tokens[:, 2] = True, 1
    *_, last = run_sampler(m, "first_hitting", exact_model(m, w), start, {})
    p = w.p * torch.tensor([len(x) > 1 and x[1] == 1 for x in w.sequences])
    follows(w.counts(last.tokens, last.valid), with_others(p / p.sum()))


# ---- blocks --------------------------------------------------------------------------------------


def both(tmp_path, one: str, other: str) -> Iterator:
    """The samples of two samplers from the same start, with the same seed."""
    for sampler in (one, other):
        m = method(tmp_path, sampler=sampler)
        start = m.start(m.toy_distribution(), 200)
        start.fixed[:50, 2], start.tokens[:50, 2] = True, 1
        yield states_of(m, start)[-1]


@pytest.mark.parametrize("kind", ["first_hitting", "ancestral", "threshold", "mask_predict"])
def test_one_block_has_no_effect(kind, tmp_path):
    blocks = f"{{kind: {kind}, wrap: {{blocks: {{size: {LONGEST}}}}}}}"
    one, other = both(tmp_path, kind, blocks)
    assert torch.equal(one.tokens, other.tokens)
    assert torch.equal(one.fixed, other.fixed)  # blocks do not change it


def test_blocks_of_one_position_are_left_to_right(tmp_path):
    """Greedy, so that random numbers have no effect."""
    greedy = "tokens: {kind: top_k, k: 1}"
    one, other = both(
        tmp_path,
        f"{{kind: fixed_budget, order: left_to_right, {greedy}}}",
        f"{{kind: fixed_budget, order: confidence, wrap: {{blocks: {{size: 1}}}}, {greedy}}}",
    )
    assert torch.equal(one.tokens, other.tokens)


def test_blocks_are_unmasked_in_order(tmp_path):
    m = method(tmp_path, sampler="{kind: first_hitting, wrap: {blocks: {size: 2}}}")
    states = states_of(m, m.start(m.toy_distribution(), 300))
    unmasked = torch.stack([(s.tokens[:, 1:] != MASK) for s in states])  # (T, B, LONGEST)
    assert not unmasked[:2, :, 2].any()
    assert unmasked[2, :, :2].all()
    assert (unmasked[1, :, 1] & ~unmasked[1, :, 0]).any()  # the control: any order in a block


@pytest.mark.parametrize("steps", [4, 300])
def test_the_model_is_called_only_for_unmasked_positions(steps, tmp_path):
    """At most once for each token of a sequence, for any number of steps."""
    m = method(tmp_path, sampler=f"{{kind: ancestral, steps: {steps}}}")
    evaluated = 0
    model = m.random_model()

    class Counter:
        token_logits = staticmethod(model.token_logits)

        def __call__(self, tokens, valid, t=None):
            nonlocal evaluated
            evaluated += len(tokens)
            return model(tokens, valid, t)

    run_sampler(m, "ancestral", Counter(), m.start(m.toy_distribution(), 100), {})
    assert 0 < evaluated <= 100 * LONGEST


# ---- insertion -----------------------------------------------------------------------------------


def test_control_the_published_weights_stop_too_early(tmp_path):
    """If lengths vary, samples of the unweighted minimiser are too short."""
    m = method(tmp_path, INSERTED, loss="[gap_cross_entropy, stop_cross_entropy]")
    w = m.toy_distribution()
    counts = exactness_laws.sample_counts(m, "insertion", exact_model(m, w), w, {})
    assert p_value(counts, with_others(w.p)) < ALARM
    length = torch.tensor([len(x) for x in w.sequences]).double()
    assert float(counts[:-1] @ length) / exactness_laws.ROWS < float(w.p @ length) - 0.05


def test_control_a_stop_threshold_is_not_exact(tmp_path):
    m = method(tmp_path, INSERTED, sampler="{kind: insertion, stop: threshold}")
    w = m.toy_distribution()
    counts = exactness_laws.sample_counts(m, "insertion", exact_model(m, w), w, {})
    assert p_value(counts, with_others(w.p)) < ALARM


def test_with_equal_lengths_the_published_weights_are_exact(tmp_path, monkeypatch):
    m = method(tmp_path, INSERTED, loss="[gap_cross_entropy, stop_cross_entropy]")
    monkeypatch.setattr(m, "toy_distribution", lambda: one_length())
    holds(m, DATA)
    holds(m, "the objective has the same minimiser as the bound")


def one_length():
    from xlm_spec.laws.toy_distribution import toy_distribution

    return toy_distribution("grow", shortest=LONGEST)
