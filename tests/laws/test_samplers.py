"""Samplers: exact ones write the data, all of them what is enumerated for them, step by step.

What they write is held against laws that are written a second time, straight from the papers
(templates/verify): chi-square of every move, 10,000 texts, false alarms 1e-6.
"""

from collections.abc import Iterator
from itertools import pairwise

import pytest
import torch
from laws.holding import ALARM, follows, holds, method
from making import INSERTED, MASKED, PLAIN

from verify import chains, of_sampler
from verify.method import with_numbers
from verify.world import LONGEST, MASK, p_value

DATA = "with the exact network a sampler follows the data"
GIVEN = "after a prompt it follows the data given the prompt"

EXACT = {
    "first_hitting": (MASKED, "first_hitting"),
    "random": (MASKED, "{kind: fixed_budget, sites: random, per_step: 1}"),
    "left_to_right": (MASKED, "{kind: fixed_budget, sites: left_to_right, per_step: 1}"),
    "confidence": (MASKED, "{kind: fixed_budget, sites: confidence, per_step: 1}"),
    "margin": (MASKED, "{kind: fixed_budget, sites: margin, per_step: 1}"),
    "entropy": (MASKED, "{kind: fixed_budget, sites: entropy, per_step: 1}"),
    "entropy bound of zero": (MASKED, "{kind: entropy_bounded, gamma: 0}"),
    "threshold of one": (MASKED, "{kind: threshold, threshold: 1}"),
    "ancestral": (MASKED, "{kind: ancestral, steps: 512}"),
    "blocks of 3": (MASKED, "{kind: first_hitting, outer: {kind: blocks, size: 3}}"),
    "blocks of 2": (MASKED, "{kind: first_hitting, outer: {kind: blocks, size: 2}}"),
    "blocks of 1": (MASKED, "{kind: ancestral, steps: 512, outer: {kind: blocks, size: 1}}"),
    "autoregressive": (PLAIN, "autoregressive"),
    "insertion": (INSERTED, "{kind: insertion, stop: drawn}"),
    "joint insertion": (INSERTED, "{kind: joint_insertion, stop: drawn}"),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_samplers_write_the_data(name, tmp_path):
    base, sampler = EXACT[name]
    m = method(tmp_path, base, sampler=sampler)
    holds(m, DATA)
    holds(m, GIVEN)


# ---- step by step, with the numbers of the spec --------------------------------------------------

REMASKING = ["{kind: cap, rate: 0.3}", "{kind: rescale, share: 0.4}", "confidence"]
MASKING = [
    "{kind: ancestral, steps: 1}",
    "{kind: ancestral, steps: 5}",
    "first_hitting",
    "{kind: fixed_budget, sites: random, per_step: 2}",
    "{kind: fixed_budget, sites: confidence, per_step: 1}",
    "{kind: fixed_budget, sites: confidence, per_step: 2}",
    "{kind: fixed_budget, sites: margin, per_step: 2}",
    "{kind: fixed_budget, sites: entropy, per_step: 2}",
    "{kind: fixed_budget, sites: left_to_right, per_step: 2}",
    "{kind: threshold, threshold: 0.0}",
    "{kind: threshold, threshold: 0.6}",
    "{kind: threshold, threshold: 0.8}",
    "{kind: entropy_bounded, gamma: 0.0}",
    "{kind: entropy_bounded, gamma: 0.9}",
    "{kind: entropy_bounded, gamma: 2.0}",
    *(f"{{kind: mask_predict, rounds: {n}}}" for n in (1, 2, 3, 4)),
    *(f"{{kind: remask, steps: {n}, remasking: {r}}}" for r in REMASKING for n in (1, 4)),
    "{kind: remask, steps: 4, remasking: {kind: cap, rate: 0.0}}",
    "{kind: remask_loop, steps: 4, alpha: 0.6, before: 0.25, waits: 0.5,"
    " remasking: {kind: cap, rate: 0.3}}",
    "{kind: remask_loop, steps: 7, alpha: 0.9, before: 0.5, waits: 0.3, remasking: confidence}",
]
IN_BLOCKS = [
    f"{s[:-1] if s[0] == '{' else f'{{kind: {s}'}, outer: {{kind: blocks, size: 2}}}}"
    for s in MASKING[::3]
]
CUTTING = [
    f"{{kind: ancestral, steps: 3, tokens: {t}}}"
    for t in (
        "{kind: temperature, temperature: 0.7}",
        "{kind: top_k, k: 2}",
        "{kind: top_p, p: 0.8}",
        "{kind: min_p, share: 0.2}",
    )
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
    *((MASKED, s) for s in (*MASKING, *IN_BLOCKS, *CUTTING)),
    *((INSERTED, s) for s in INSERTING),
    *((PLAIN, s) for s in APPENDING),
]


def off(m, laws, model=None) -> float:
    """-log10 of the p-value of the most surprising step."""
    [sampler] = m.samplers
    states = m.drawn(sampler, model or m.anything(), m.start(m.world(), of_sampler.ROWS), {})
    return chains.furthest_off(states, laws)


def enumerated(m, **numbers) -> list[dict]:
    [sampler] = m.samplers
    config = with_numbers(m.config, {f"sampler.{k}": n for k, n in numbers.items()})
    return of_sampler.enumerated(m, sampler, config, m.anything())


@pytest.mark.parametrize(("base", "sampler"), EVERY, ids=lambda v: v if isinstance(v, str) else "")
def test_every_step_follows_its_law(base, sampler, tmp_path):
    m = method(tmp_path, base, sampler=sampler)
    laws = enumerated(m)
    assert laws
    for law in laws:
        assert abs(sum(law.values()) - 1) < 1e-9
    assert off(m, laws) < 6
    assert off(m, laws, m.anything(seed=1)) > 6, "the control: another network"


NEIGHBOURS = [
    ("{kind: ancestral, steps: 4}", {"steps": 5}),
    ("{kind: threshold, threshold: 0.6}", {"threshold": 0.8}),
    ("{kind: entropy_bounded, gamma: 0.9}", {"gamma": 0.0}),
    ("{kind: mask_predict, rounds: 3}", {"rounds": 2}),
    ("{kind: remask, steps: 4, remasking: {kind: cap, rate: 0.3}}", {"remasking.rate": 0.2}),
    ("{kind: remask, steps: 4, remasking: {kind: rescale, share: 0.4}}", {"remasking.share": 0.3}),
    ("{kind: remask_loop, steps: 4, remasking: {kind: cap, rate: 0.3}}", {"alpha": 0.8}),
    ("{kind: ancestral, steps: 2, tokens: {kind: top_k, k: 2}}", {"tokens.k": 3}),
]


@pytest.mark.parametrize(("sampler", "numbers"), NEIGHBOURS, ids=str)
def test_control_neighbouring_numbers_are_told_apart(sampler, numbers, tmp_path):
    m = method(tmp_path, sampler=sampler)
    assert off(m, enumerated(m)) < 6
    other = enumerated(m, **numbers)
    own = len(enumerated(m))
    assert off(m, (other + other[-1:] * own)[:own]) > 6


# ---- what the enumerated laws themselves must be -------------------------------------------------


def ends(m, **numbers) -> torch.Tensor:
    """The law of the texts that a sampler of masked texts writes with the exact network."""
    [sampler] = m.samplers
    w = m.world()
    config = with_numbers(m.config, {f"sampler.{k}": n for k, n in numbers.items()})
    *_, last = of_sampler.enumerated(m, sampler, config, m.oracle(w))
    found: dict = {}
    for (_, after), chance in last.items():
        found[after] = found.get(after, 0.0) + chance
    return torch.tensor([found.get(tuple(w.row(x)[1:]), 0.0) for x in w.texts]).double()


def test_ancestral_tends_to_the_data(tmp_path):
    """The error falls with the steps."""
    m = method(tmp_path, sampler="ancestral")
    away = [float((ends(m, steps=n) - m.world().p).abs().sum() / 2) for n in (2, 4, 8, 16)]
    assert all(a > 1.6 * b for a, b in pairwise(away))


def test_control_two_ancestral_steps_are_not_the_data(tmp_path):
    m = method(tmp_path, sampler="{kind: ancestral, steps: 2}")
    w = m.world()
    assert p_value(of_sampler.written(m, "ancestral", m.oracle(w), w, {}), whole(w.p)) < ALARM


def whole(p):
    return torch.cat([p, torch.zeros(1).double()])


@pytest.mark.parametrize("rule", ["{kind: cap, rate: 0.3}", "{kind: rescale, share: 0.4}"])
def test_remasking_leaves_the_noise_level_as_it_was(rule, tmp_path):
    """At each time a site is masked with probability 1 - alpha, whatever sigma."""
    m = method(tmp_path, sampler=f"{{kind: remask, steps: 4, remasking: {rule}}}")
    for k, law in enumerate(enumerated(m), 1):
        for site in range(LONGEST):
            share = sum(c for (_, after), c in law.items() if after[site] == MASK)
            assert abs(share - (1 - k / 4)) < 1e-9


def test_remasking_nothing_is_ancestral(tmp_path):
    """With sigma = 0 the step is the reverse posterior's."""
    m = method(tmp_path, sampler="{kind: remask, steps: 4, remasking: {kind: cap, rate: 0.0}}")
    plain = method(tmp_path, sampler="{kind: ancestral, steps: 4}")
    for mine, theirs in zip(enumerated(m), enumerated(plain), strict=True):
        assert mine.keys() == theirs.keys()
        assert all(abs(mine[k] - theirs[k]) < 1e-12 for k in mine)


def test_a_walk_is_a_chain():
    """Moves of a coin that is tossed until it shows heads."""
    steps = [lambda s: {s: 1.0} if s == "heads" else {"heads": 0.5, "tails": 0.5}] * 2
    first, second = chains.moves("tails", steps, lambda s: s)
    assert first == {("tails", "heads"): 0.5, ("tails", "tails"): 0.5}
    assert second == {
        ("heads", "heads"): 0.5,
        ("tails", "heads"): 0.25,
        ("tails", "tails"): 0.25,
    }


# ---- what holds for every one of them ------------------------------------------------------------


@pytest.mark.parametrize("sampler", [*MASKING[1::2], *IN_BLOCKS[1::2]])
def test_given_tokens_stay_and_no_mask_is_left(sampler, tmp_path):
    """Tokens given in the middle, padding at the end, rows with nothing to write."""
    m = method(tmp_path, sampler=sampler)
    start = m.start(m.world(), 300)
    start.fixed[:200, 2], start.tokens[:200, 2] = True, 1
    start.valid[:100, 3] = False
    start.fixed[:50], start.tokens[:50, 1:] = True, 2
    start.fixed[:50, 3] = False
    states = drawn(m, start)
    for state in states:
        assert torch.equal(state.tokens[start.fixed], start.tokens[start.fixed])
        assert torch.equal(state.fixed, start.fixed)
        assert torch.equal(state.valid, start.valid)
    free = start.valid & ~start.fixed
    assert not (states[-1].tokens[free] == MASK).any()
    assert (states[0].tokens[free] == MASK).all()


def drawn(m, start) -> list:
    [sampler] = m.samplers
    return m.drawn(sampler, m.anything(), start, {})


def test_infilling_between_given_tokens_is_exact(tmp_path):
    """With the middle token given, first-hitting draws from p(x | x_2 = 1)."""
    m = method(tmp_path, sampler="first_hitting")
    w = m.world()
    start = m.start(w, 40_000)
    start.fixed[:, 2], start.tokens[:, 2] = True, 1
    *_, last = m.drawn("first_hitting", m.oracle(w), start, {})
    law = w.p * torch.tensor([len(x) > 1 and x[1] == 1 for x in w.texts])
    follows(w.counts(last.tokens, last.valid), whole(law / law.sum()))


# ---- blocks --------------------------------------------------------------------------------------


def both(tmp_path, one: str, other: str) -> Iterator:
    """What two samplers write from the same start, with the same draws."""
    for sampler in (one, other):
        m = method(tmp_path, sampler=sampler)
        start = m.start(m.world(), 200)
        start.fixed[:50, 2], start.tokens[:50, 2] = True, 1
        yield drawn(m, start)[-1]


@pytest.mark.parametrize("kind", ["first_hitting", "ancestral", "threshold", "mask_predict"])
def test_one_block_is_no_block(kind, tmp_path):
    blocks = f"{{kind: {kind}, outer: {{kind: blocks, size: {LONGEST}}}}}"
    one, other = both(tmp_path, kind, blocks)
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
    m = method(tmp_path, sampler="{kind: first_hitting, outer: {kind: blocks, size: 2}}")
    states = drawn(m, m.start(m.world(), 300))
    written = torch.stack([(s.tokens[:, 1:] != MASK) for s in states])  # (T, B, LONGEST)
    assert not written[:2, :, 2].any()
    assert written[2, :, :2].all()
    assert (written[1, :, 1] & ~written[1, :, 0]).any()  # the control: inside a block in any order


@pytest.mark.parametrize("steps", [4, 300])
def test_the_network_is_called_only_where_something_fires(steps, tmp_path):
    """Each row is read at most once for each of its tokens, whatever the number of steps."""
    m = method(tmp_path, sampler=f"{{kind: ancestral, steps: {steps}}}")
    read = 0
    anything = m.anything()

    class Reader:
        token_logits = staticmethod(anything.token_logits)

        def __call__(self, tokens, valid, t=None):
            nonlocal read
            read += len(tokens)
            return anything(tokens, valid, t)

    m.drawn("ancestral", Reader(), m.start(m.world(), 100), {})
    assert 0 < read <= 100 * LONGEST


# ---- insertion -----------------------------------------------------------------------------------


def test_control_the_published_weights_stop_too_early(tmp_path):
    """families.md F4: where lengths vary, the unweighted minimiser writes too short a text."""
    m = method(tmp_path, INSERTED, loss="[gap_cross_entropy, stop_cross_entropy]")
    w = m.world()
    counts = of_sampler.written(m, "insertion", m.oracle(w), w, {})
    assert p_value(counts, whole(w.p)) < ALARM
    length = torch.tensor([len(x) for x in w.texts]).double()
    assert float(counts[:-1] @ length) / of_sampler.ROWS < float(w.p @ length) - 0.05


def test_with_one_length_the_published_weights_are_exact(tmp_path, monkeypatch):
    m = method(tmp_path, INSERTED, loss="[gap_cross_entropy, stop_cross_entropy]")
    monkeypatch.setattr(m, "world", lambda: one_length())
    holds(m, DATA)
    holds(m, "training finds what the bound asks for")


def one_length():
    from verify.world import world

    return world("grow", shortest=LONGEST)
