"""What undoes dropping: samplers that are exact, and grow a text only where it may grow.

40,000 samples, chi-square, false alarms 1e-6. Each law has a control that must fail.
"""

from itertools import product

import pytest
import torch
from laws.growing import (
    BOS,
    LONGEST,
    PAD,
    SIZE,
    Growing,
    Missing,
    V,
    config_of,
    generator,
    growing,
)
from laws.world import ALARM, follows, p_value
from making import INSERTED, package

from components.process.drop import prior
from components.types import Examples

W = growing()
ROWS = 40_000


def written(method, model, world: Growing = W):
    start = world.start(ROWS, method.Examples)
    *_, last = method.sample(model, config_of(method), start, generator())
    return world.counts(last)


def law_of(world: Growing) -> torch.Tensor:
    return torch.cat([world.p, torch.zeros(1)])


@pytest.mark.parametrize("kind", ["insertion", "joint_insertion"])
def test_the_samplers_are_exact_with_a_drawn_stop(kind, tmp_path):
    method = package(tmp_path, INSERTED, sampler=f"{{kind: {kind}, stop: drawn}}")
    follows(written(method, Missing(W)), law_of(W))


def test_control_the_published_weights_stop_too_early(tmp_path):
    """families.md F4: where lengths vary, the unweighted minimiser writes too short a text."""
    method = package(tmp_path, INSERTED)
    counts = written(method, Missing(W, levels=False))
    assert p_value(counts, law_of(W)) < ALARM
    length = torch.tensor([len(x) for x in W.texts], dtype=torch.float64)
    assert float(counts[:-1] @ length) / ROWS < float(W.p @ length) - 0.1


def test_with_one_length_the_published_weights_are_exact(tmp_path):
    one = growing(shortest=LONGEST)
    follows(written(package(tmp_path, INSERTED), Missing(one, levels=False), one), law_of(one))


def test_control_a_threshold_is_not_exact(tmp_path):
    method = package(tmp_path, INSERTED, sampler="{kind: insertion, stop: threshold}")
    assert p_value(written(method, Missing(W)), law_of(W)) < ALARM


def test_control_tokens_at_another_temperature_are_caught(tmp_path):
    sampler = "{kind: insertion, stop: drawn, tokens: {kind: temperature, temperature: 1.2}}"
    method = package(tmp_path, INSERTED, sampler=sampler)
    assert p_value(written(method, Missing(W)), law_of(W)) < ALARM


def test_any_network_is_sampled_by_its_own_law(tmp_path):
    """Not the minimiser: the law of the chain is summed over all ways to a text."""
    method, model = package(tmp_path, INSERTED), Missing(W, blur=0.3)
    now: dict[tuple, float] = {(): 1.0}
    ends: dict[tuple, float] = {}
    for room in range(LONGEST, -1, -1):
        grown: dict[tuple, float] = {}
        for kept, chance in now.items():
            tokens = torch.tensor([[BOS, *kept]])
            hidden = model(tokens, tokens >= 0)
            done = float(torch.sigmoid(model.stop_logit(hidden[0, 0]))) if room else 1.0
            ends[kept] = ends.get(kept, 0.0) + chance * done
            pairs = model.gap_token_logits(hidden)[0].flatten().softmax(0).view(-1, V)
            for gap, token in product(range(len(kept) + 1), range(SIZE)):
                new = (*kept[:gap], token, *kept[gap:])
                more = chance * (1 - done) * float(pairs[gap, token])
                grown[new] = grown.get(new, 0.0) + more
        now = grown
    law = torch.tensor([ends[x] for x in W.texts], dtype=torch.float64)
    assert abs(float(law.sum()) - 1) < 1e-9
    follows(written(method, model), torch.cat([law, torch.zeros(1)]))


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
