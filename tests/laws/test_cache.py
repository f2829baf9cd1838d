"""The key/value cache does not change the output: hidden states equal those of one full pass."""

import pytest
import torch
from methods import PLAIN, package

from components.backbone.rotary import Backbone
from components.types import Examples
from xlm_spec.laws.toy_distribution import generator

ROWS, LENGTH, SIZE = 6, 12, 9


def backbone(token_shift: bool, positions: int) -> Backbone:
    torch.manual_seed(0)
    more = {"dropout": 0.0, "token_shift": token_shift, "positions": positions}
    return Backbone(SIZE, "causal", layers=3, width=32, heads=4, **more).eval().double()


def largest_difference(net: Backbone, shift: int = 0) -> float:
    """Largest difference between cached and direct hidden states, with prompts of varying length.

    The control: `shift` moves the position of the output.
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


@pytest.mark.parametrize("token_shift", [False, True])
@pytest.mark.parametrize("positions", [0, LENGTH])
def test_cached_states_equal_one_pass(token_shift, positions):
    with torch.no_grad():
        assert largest_difference(backbone(token_shift, positions)) < 1e-12


def test_control_a_cache_one_position_off_is_detected():
    with torch.no_grad():
        assert largest_difference(backbone(True, LENGTH), shift=1) > 1e-3


def test_a_package_samples_the_same_tokens_with_its_cache(tmp_path):
    """Greedy, with prompts of varying length and a fixed token after a gap."""
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
    sampled = (last.valid & ~last.fixed)[:, 1:]
    assert sampled.sum() > ROWS
    assert torch.equal(best[:, :-1][sampled], last.tokens[:, 1:][sampled])
    assert torch.equal(last.tokens[last.fixed], start.tokens[last.fixed])
