"""Backbones: what a site sees, what padding changes, and whether the time is heard.

Every file under components/backbone is held against this; a new one is found by itself.
"""

from importlib import import_module

import pytest
import torch

from verify.world import generator
from xlm_spec.compiler.components import component, values

ROWS, LENGTH, SIZE = 3, 7, 9
ALL = values("backbone")
TIMED = [b for b in ALL if "t" in component("backbone", b).methods["Backbone"]["forward"].wires]


def backbone(value: str, direction: str = "bidirectional", stirred: bool = True):
    """A small one in float64; `stirred` away from its start, where gates may be closed."""
    torch.manual_seed(0)
    module = import_module(f"components.backbone.{value}")
    numbers = module.SMALL | {"mixing": True, "positions": LENGTH}
    net = module.Backbone(SIZE, direction, **numbers)
    net = net.eval().double()
    if stirred:
        with torch.no_grad():
            for p in net.parameters():
                p += 0.1 * torch.randn(p.shape, generator=generator(1), dtype=p.dtype)
    return net


def hidden(net, tokens, valid=None, t=0.3):
    valid = torch.ones_like(tokens, dtype=torch.bool) if valid is None else valid
    time = torch.full((len(tokens), 1), t, dtype=torch.float64)
    with torch.no_grad():
        return net(tokens, valid, *([time] if hasattr(net, "time") else []))


def texts(seed: int = 0):
    return torch.randint(0, SIZE, (ROWS, LENGTH), generator=generator(seed))


def moved(net, site: int, valid=None) -> torch.Tensor:
    """By how much each site's state moves when the token of one site is another, (LENGTH,)."""
    tokens = texts()
    other = tokens.clone()
    other[:, site] = (other[:, site] + 1) % SIZE
    return (hidden(net, tokens, valid) - hidden(net, other, valid)).abs().amax((0, 2))


@pytest.mark.parametrize("value", ALL)
def test_every_site_sees_both_sides(value):
    assert (moved(backbone(value), 3) > 1e-6).all()


@pytest.mark.parametrize("value", ALL)
def test_a_causal_site_sees_nothing_after_itself(value):
    seen = moved(backbone(value, "causal"), 3)
    assert (seen[:3] == 0).all()
    assert (seen[3:] > 1e-6).all()


@pytest.mark.parametrize("value", ALL)
def test_padding_is_not_seen(value):
    valid = torch.ones(ROWS, LENGTH, dtype=torch.bool)
    valid[:, 5:] = False
    assert (moved(backbone(value), 5, valid)[:5] == 0).all()
    assert (moved(backbone(value), 4, valid)[:5] > 1e-6).all()  # the control: what is valid is seen


@pytest.mark.parametrize("value", TIMED)
def test_the_time_is_heard(value):
    """At the start it says nothing; weights that have moved hear it, at every site."""
    fresh, stirred = backbone(value, stirred=False), backbone(value)
    assert torch.equal(hidden(fresh, texts(), t=0.1), hidden(fresh, texts(), t=0.9))
    change = (hidden(stirred, texts(), t=0.1) - hidden(stirred, texts(), t=0.9)).abs()
    assert (change.amax(2) > 1e-4).all()


@pytest.mark.parametrize("value", TIMED)
def test_near_times_are_told_apart(value):
    """A hundredth of the way is heard, and heard less than a half."""
    net = backbone(value)
    near, far = (
        (hidden(net, texts(), t=0.3) - hidden(net, texts(), t=t)).norm() for t in (0.31, 0.8)
    )
    assert 1e-4 < near < far


@pytest.mark.parametrize("value", TIMED)
def test_the_time_of_each_row_is_its_own(value):
    net, tokens = backbone(value), texts()
    time = torch.tensor([[0.1], [0.5], [0.9]], dtype=torch.float64)
    valid = torch.ones_like(tokens, dtype=torch.bool)
    with torch.no_grad():
        together = net(tokens, valid, time)
        alone = torch.cat([net(tokens[i : i + 1], valid[:1], time[i : i + 1]) for i in range(ROWS)])
    assert torch.allclose(together, alone, atol=1e-12)
    assert not torch.allclose(together, net(tokens, valid, time.flip(0)).detach(), atol=1e-4)


@pytest.mark.parametrize("value", ALL)
def test_rotary_positions_tell_order(value):
    """Without learned positions and mixing two tokens that change places are still told apart."""
    torch.manual_seed(0)
    module = import_module(f"components.backbone.{value}")
    net = module.Backbone(SIZE, "bidirectional", **module.SMALL).eval().double()
    with torch.no_grad():
        for p in net.parameters():
            p += 0.1 * torch.randn(p.shape, generator=generator(1), dtype=p.dtype)
    tokens = texts()
    tokens[:, 2], tokens[:, 5] = 1, 2
    swapped = tokens.clone()
    swapped[:, 2], swapped[:, 5] = 2, 1
    assert ((hidden(net, tokens) - hidden(net, swapped))[:, 0].abs().amax(1) > 1e-6).all()
