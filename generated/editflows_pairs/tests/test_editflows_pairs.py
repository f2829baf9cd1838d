"""editflows_pairs learns and samples, keeps fixed tokens and ignores padding."""

import pytest
import torch

from editflows_pairs import SAMPLERS, Config, Examples, Model, objective

CONFIG = Config.small()


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def examples(rows=8, length=9):
    tokens = torch.randint(0, 8, (rows, length), generator=generator())
    tokens[:, 0] = CONFIG.vocab.bos
    fixed = torch.zeros_like(tokens, dtype=torch.bool)
    fixed[:, :4] = True
    return Examples(tokens, torch.ones_like(fixed), fixed)


def loss(model, x, seed=0):
    return sum(objective(model, x, CONFIG, generator(seed)).values())


def test_learns_a_batch():
    torch.manual_seed(0)
    model, x = Model(CONFIG), examples()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    before = loss(model, x).mean().item()
    for _ in range(60):
        optimizer.zero_grad()
        loss(model, x).mean().backward()
        optimizer.step()
    assert loss(model, x).mean().item() < before / 2


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samples_and_keeps_fixed_tokens(sampler):
    torch.manual_seed(0)
    model, x = Model(CONFIG).eval(), examples()
    free = x.valid & ~x.fixed
    start = x._replace(tokens=x.tokens.masked_fill(free, CONFIG.vocab.pad))
    states = list(SAMPLERS[sampler](model, CONFIG, start, generator()))
    for state in states:
        assert torch.equal(state.tokens[x.fixed], x.tokens[x.fixed])
    last = states[-1].tokens[states[-1].valid & free]
    assert len(last)
    assert not torch.isin(last, torch.tensor(CONFIG.vocab.special)).any()


def test_padding_has_no_effect():
    torch.manual_seed(0)
    model, x = Model(CONFIG).eval(), examples(length=9)
    x = x._replace(valid=x.valid.clone())
    x.valid[:, 6:] = False
    other = x._replace(tokens=torch.where(x.valid, x.tokens, (x.tokens + 1) % 8))
    assert torch.allclose(loss(model, x), loss(model, other), atol=1e-5)
