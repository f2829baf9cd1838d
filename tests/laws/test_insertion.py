"""What undoes dropping grows a text only where it may grow (its laws: test_samplers.py)."""

import pytest
import torch
from making import INSERTED, package

from components.process.drop import prior
from components.types import Examples
from verify.world import BOS, PAD, generator


def test_text_grows_only_in_open_gaps():
    """Fixed: BOS a b . c d; the site behind b is free, so only the gaps behind b and d are open."""
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
def test_what_is_given_stays_and_stays_together(kind, tmp_path):
    """With any network: given tokens, in order, with text only where a site was free."""
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
        for line, given, n in zip(state.tokens, state.fixed, state.valid.sum(1), strict=True):
            assert line[:n][given[:n]].tolist() == [bos, 0, 1, 2, 0]
            assert line[:3].tolist() == [bos, 0, 1]
            place = given[:n].nonzero()[:, 0].tolist()
            assert place[4] == place[3] + 1, "2 0 stay together"
    lengths = states[-1].valid.sum(1)
    assert int(lengths.max()) == 9, "up to the end of the room"
    assert int(lengths.min()) == 5, "and a text may be complete as it is"


def test_columns_of_padding_change_nothing(tmp_path):
    """With token mixing a site sees its right neighbour: none, or padding, must be the same.

    Training has rows that fill the room, sampling has not; a network that sees where the room ends
    learns to copy that instead (exact match stays at 5 % on star graphs).
    """
    method = package(tmp_path, INSERTED, backbone="{kind: rotary, mixing: true, positions: 20}")
    config = method.Config.small()
    config = config.__class__(
        vocab=config.vocab,
        backbone=method.config.Backbone(
            layers=2, width=32, heads=2, dropout=0.0, mixing=True, positions=20
        ),
    )
    model = method.Model(config).eval()
    tokens = torch.randint(0, 8, (3, 6), generator=generator())
    wide = torch.nn.functional.pad(tokens, (0, 5), value=config.vocab.pad)
    valid = torch.arange(11).expand(3, -1) < 6
    assert torch.allclose(model(tokens, valid[:, :6]), model(wide, valid)[:, :6], atol=1e-6)
    seen = model(wide, torch.ones_like(valid))[:, :6]
    assert not torch.allclose(model(wide, valid)[:, :6], seen, atol=1e-3), "the control"


def test_where_nothing_may_be_inserted_there_is_no_loss_and_no_step(tmp_path):
    """Every token given and every gap closed, in all rows of a batch."""
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
