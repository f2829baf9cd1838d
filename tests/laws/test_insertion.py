"""Insertion samplers insert in open gaps only (their laws: test_samplers.py)."""

import pytest
import torch
from methods import INSERTED, package

from components.process.drop import prior
from components.types import Examples
from xlm_spec.laws.toy_distribution import BOS, PAD, generator


def test_tokens_are_inserted_only_in_open_gaps():
    """Fixed: BOS a b . c d. Only the gaps after b and d are open, as a position after b is free."""
    tokens = torch.tensor([[BOS, 0, 1, PAD, 2, 0, PAD, PAD]])
    valid = torch.tensor([[1, 1, 1, 1, 1, 1, 0, 0]]).bool()
    fixed = torch.tensor([[1, 1, 1, 0, 1, 1, 0, 0]]).bool()
    state = prior(Examples(tokens, valid, fixed))
    assert state.tokens[state.valid].tolist() == [BOS, 0, 1, 2, 0]
    assert state.open[0].nonzero()[:, 0].tolist() == [2, 4]
    only = torch.zeros_like(valid)
    only[0, 2] = True
    state = prior(Examples(tokens, valid, fixed, gaps=only))
    assert state.open[0].nonzero()[:, 0].tolist() == [2]


@pytest.mark.parametrize("kind", ["insertion", "joint_insertion"])
def test_fixed_tokens_and_closed_gaps_do_not_change(kind, tmp_path):
    """Fixed tokens, in order, with insertions only in open gaps."""
    method = package(tmp_path, INSERTED, sampler=f"{{kind: {kind}, stop: drawn}}")
    config = method.Config.small()
    torch.manual_seed(0)
    model = method.Model(config).eval()
    bos, pad = config.vocab.bos, config.vocab.pad
    tokens = torch.tensor([[bos, 0, 1, pad, 2, 0, pad, pad, pad]]).expand(200, -1)
    valid = torch.tensor([[1, 1, 1, 1, 1, 1, 0, 0, 0]]).bool().expand(200, -1)
    fixed = torch.tensor([[1, 1, 1, 0, 1, 1, 0, 0, 0]]).bool().expand(200, -1)
    states = list(method.sample(model, config, method.Examples(tokens, valid, fixed), generator()))
    for state in states:
        for line, fixed_now, n in zip(state.tokens, state.fixed, state.valid.sum(1), strict=True):
            assert line[:n][fixed_now[:n]].tolist() == [bos, 0, 1, 2, 0]
            assert line[:3].tolist() == [bos, 0, 1]
            positions = fixed_now[:n].nonzero()[:, 0].tolist()
            assert positions[4] == positions[3] + 1, "2 0 stay adjacent"
    lengths = states[-1].valid.sum(1)
    assert int(lengths.max()) == 9, "up to the maximum length"
    assert int(lengths.min()) == 5, "and the prompt can be complete"


def test_padding_has_no_effect(tmp_path):
    """With token shift, a last position without a right neighbour and one before padding are equal.

    Sequences fill the canvas in training, but not in sampling. A model that depends on the end of
    the canvas learns to copy it (exact match stays at 5% on star graphs).
    """
    method = package(
        tmp_path, INSERTED, backbone="{kind: rotary, token_shift: true, positions: 20}"
    )
    config = method.Config.small()
    config = config.__class__(
        vocab=config.vocab,
        backbone=method.config.Backbone(
            layers=2, width=32, heads=2, dropout=0.0, token_shift=True, positions=20
        ),
    )
    model = method.Model(config).eval()
    tokens = torch.randint(0, 8, (3, 6), generator=generator())
    wide = torch.nn.functional.pad(tokens, (0, 5), value=config.vocab.pad)
    valid = torch.arange(11).expand(3, -1) < 6
    assert torch.allclose(model(tokens, valid[:, :6]), model(wide, valid)[:, :6], atol=1e-6)
    seen = model(wide, torch.ones_like(valid))[:, :6]
    assert not torch.allclose(model(wide, valid)[:, :6], seen, atol=1e-3), "the control"


def test_without_open_gaps_there_is_no_loss_and_no_step(tmp_path):
    """All tokens fixed and all gaps closed, in all sequences of a batch."""
    method = package(tmp_path, INSERTED)
    config = method.Config.small()
    model = method.Model(config)
    tokens = torch.tensor([[config.vocab.bos, 1, 2, 3, 4]] * 3)
    valid = torch.arange(5).expand(3, -1) < 4
    x = method.Examples(tokens, valid, valid, gaps=torch.zeros_like(valid))
    terms = method.objective(model, x, config, generator())
    assert terms["gap_cross_entropy"].eq(0).all()
    sum(terms.values()).mean().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
    [only] = method.sample(model.eval(), config, x, generator())
    assert torch.equal(only.tokens[only.valid], tokens[valid])
