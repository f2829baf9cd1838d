"""Mask noise and its times; which sites are hidden is the count's (test_count.py)."""

import pytest
import torch
from laws.world import BOS, EOS, MASK, PAD, V, follows, generator, world

from components.count import bernoulli
from components.process import mask
from components.schedule.linear import LinearSchedule
from components.time import iid, stratified
from components.types import Examples, Vocab

VOCAB = Vocab(size=V, pad=PAD, bos=BOS, eos=EOS, mask=MASK)


def test_hidden_tokens_are_masked_and_the_rest_is_told():
    x = world().draw(1000, Examples, given=2)
    chosen = torch.rand(x.tokens.shape, generator=generator()) < 0.5
    z = mask.corrupt(x, chosen, VOCAB)
    assert torch.equal(z.masked, chosen)
    assert torch.equal(z.tokens[~chosen], x.tokens[~chosen])
    assert (z.tokens[chosen] == MASK).all()
    assert torch.equal(z.clean, x.tokens)


def test_prior_is_the_noise_at_its_end():
    x = world().draw(100, Examples, given=2)
    chosen = bernoulli.choose(x, torch.ones(100, 1), LinearSchedule(), generator())
    z = mask.corrupt(x, chosen, VOCAB)
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
