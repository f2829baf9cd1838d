"""Mask noise and its times: frequencies are q(x_t | x_0), given tokens and padding stay."""

import pytest
import torch
from laws.world import BOS, EOS, LENGTH, MASK, PAD, V, follows, generator, world

from components.process import mask
from components.schedule.cosine import CosineSchedule
from components.schedule.linear import LinearSchedule
from components.time import iid, stratified
from components.types import Examples, Vocab

VOCAB = Vocab(size=V, pad=PAD, bos=BOS, eos=EOS, mask=MASK)
ROWS = 40_000


def patterns(schedule, t: float, seed: int = 0):
    """How often each of the 8 patterns of masked sites occurs."""
    x = world().draw(ROWS, Examples)
    z = mask.corrupt(x, torch.full((ROWS, 1), t), schedule, VOCAB, generator(seed))
    code = (z.masked[:, 1:] * torch.tensor([1, 2, 4])).sum(1)
    return torch.bincount(code, minlength=8).double()


def law(schedule, t: float):
    """Independent sites, each masked with probability 1 - alpha(t)."""
    gone = 1 - float(schedule.alpha(torch.tensor(t, dtype=torch.float64)))
    ones = torch.tensor([bin(i).count("1") for i in range(8)], dtype=torch.float64)
    return gone**ones * (1 - gone) ** (LENGTH - ones)


@pytest.mark.parametrize("schedule", [LinearSchedule(), CosineSchedule()])
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_corruption_follows_its_law(schedule, t):
    follows(patterns(schedule, t), law(schedule, t))


def test_control_another_time_is_caught():
    with pytest.raises(AssertionError):
        follows(patterns(LinearSchedule(), 0.5), law(LinearSchedule(), 0.52))


def test_given_tokens_and_padding_stay_and_the_rest_is_told():
    x = world().draw(1000, Examples, given=2)
    x = x._replace(valid=x.valid.clone())
    x.valid[:, 3] = False
    z = mask.corrupt(x, torch.full((1000, 1), 0.7), LinearSchedule(), VOCAB, generator())
    assert not z.masked[:, :2].any()
    assert not z.masked[:, 3].any()
    assert torch.equal(z.tokens[~z.masked], x.tokens[~z.masked])
    assert (z.tokens[z.masked] == MASK).all()
    assert torch.equal(z.clean, x.tokens)


def test_prior_is_the_noise_at_its_end():
    x = world().draw(100, Examples, given=2)
    z = mask.corrupt(x, torch.ones(100, 1), LinearSchedule(), VOCAB, generator())
    state = mask.prior(x, VOCAB)
    assert torch.equal(z.tokens, state.tokens)


def bins(t, parts: int = 20):
    return torch.bincount((t.flatten() * parts).long().clamp(max=parts - 1), minlength=parts)


@pytest.mark.parametrize("time", [iid, stratified])
def test_each_time_alone_is_uniform(time):
    x = world().draw(8, Examples)
    t = torch.stack([time.sample_time(x, generator(i), edge=1e-5)[0] for i in range(20_000)])
    follows(bins(t).double(), torch.full((20,), 1 / 20, dtype=torch.float64))


def test_control_times_of_another_law_are_caught():
    t = torch.rand(20_000, generator=generator()) ** 1.1
    with pytest.raises(AssertionError):
        follows(bins(t).double(), torch.full((20,), 1 / 20, dtype=torch.float64))


def strata(t, total: int) -> bool:
    """Does each of `total` equal parts hold one time?"""
    return bool((bins(t, total) == 1).all())


def test_stratified_times_span_the_global_batch():
    x = world().draw(16, Examples)
    order = torch.randperm(32, generator=generator(5))
    ranks = [x._replace(index=order[r * 16 : (r + 1) * 16], total=32) for r in range(2)]
    t = [stratified.sample_time(r, generator(i), edge=1e-9) for i, r in enumerate(ranks)]
    assert strata(torch.cat(t), 32)
    assert strata(stratified.sample_time(x, generator(), edge=1e-9), 16)


def test_control_strata_of_each_rank_do_not_span_the_global_batch():
    x = world().draw(16, Examples)
    t = [stratified.sample_time(x, generator(i), edge=1e-9) for i in range(2)]
    assert not strata(torch.cat(t), 32)
