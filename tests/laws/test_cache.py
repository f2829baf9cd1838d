"""The key/value cache changes nothing: cached hidden states equal those of one whole pass."""

import pytest
import torch
from making import PLAIN, package

from components.backbone.rotary import Backbone
from components.types import Examples
from verify.world import generator

ROWS, LENGTH, SIZE = 6, 12, 9


def backbone(mixing: bool, positions: int) -> Backbone:
    torch.manual_seed(0)
    more = {"dropout": 0.0, "mixing": mixing, "positions": positions}
    return Backbone(SIZE, "causal", layers=3, width=32, heads=4, **more).eval().double()


def gap(net: Backbone, shift: int = 0) -> float:
    """Largest difference between cached and direct hidden states, with prompts of varying length.

    `shift` misplaces the site that is read: the control.
    """
    tokens = torch.randint(0, SIZE, (ROWS, LENGTH), generator=generator())
    length = torch.tensor([1, 2, 3, 5, 8, 4])
    direct = net(tokens, torch.ones_like(tokens, dtype=torch.bool))
    valid = torch.arange(LENGTH) < length[:, None]
    cache = net.open_cache(tokens.masked_fill(~valid, 0), valid)
    worst, row = 0.0, torch.arange(ROWS)
    for step in range(LENGTH - 8):
        place = length + step
        known = torch.arange(LENGTH) <= place[:, None]
        hidden = net.extend_cache(tokens.masked_fill(~known, 0), place - shift, cache)
        worst = max(worst, float((hidden - direct[row, place]).abs().max()))
    return worst


@pytest.mark.parametrize("mixing", [False, True])
@pytest.mark.parametrize("positions", [0, LENGTH])
def test_cached_states_equal_one_pass(mixing, positions):
    with torch.no_grad():
        assert gap(backbone(mixing, positions)) < 1e-12


def test_control_a_cache_one_site_off_is_caught():
    with torch.no_grad():
        assert gap(backbone(True, LENGTH), shift=1) > 1e-3


def test_a_package_writes_what_one_pass_at_a_time_would(tmp_path):
    """Greedy, with prompts of varying length and a token given further right."""
    method = package(tmp_path, PLAIN, sampler="{kind: autoregressive, tokens: {kind: top_k, k: 1}}")
    config = method.Config.small()
    torch.manual_seed(1)
    model = method.Model(config).eval()
    tokens = torch.randint(0, 8, (ROWS, LENGTH), generator=generator())
    tokens[:, 0] = config.vocab.bos
    fixed = torch.arange(LENGTH) < torch.tensor([1, 2, 3, 5, 8, 4])[:, None]
    fixed[2, 9] = True
    start = Examples(tokens.masked_fill(~fixed, config.vocab.pad), torch.ones_like(fixed), fixed)
    *_, last = method.sample(model, config, start, generator())
    with torch.no_grad():
        best = model.token_logits(model(last.tokens, last.valid)).argmax(-1)
    written = (last.valid & ~last.fixed)[:, 1:]
    assert written.sum() > ROWS
    assert torch.equal(best[:, :-1][written], last.tokens[:, 1:][written])
    assert torch.equal(last.tokens[last.fixed], start.tokens[last.fixed])
