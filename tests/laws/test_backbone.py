"""Backbones keep the laws of models, also with token shift, and depend on the time.

The tests run for every file under components/backbone.
"""

from importlib import import_module
from pathlib import Path

import pytest
import torch
from laws.sampled_laws import holds, method
from methods import PLAIN

from components.backbone.dit_sigma import SigmaEmbedding
from components.layers import Attention, angles, visible
from components.schedule.linear import LinearSchedule
from xlm_spec.compiler.components import component, values
from xlm_spec.laws.toy_distribution import generator

ROWS, LENGTH, SIZE = 3, 7, 9
DIRECTION = "a causal model does not see later tokens, a bidirectional one does"
ALL = values("backbone")
CACHED = [b for b in ALL if "extend_cache" in component("backbone", b).methods["Backbone"]]
READING = [
    b for b in ALL if "read" in component("backbone", b).methods["Backbone"]["forward"].wires
]
TIMED = [b for b in ALL if "t" in component("backbone", b).methods["Backbone"]["forward"].wires]


def backbone(value: str, perturbed: bool = True, direction: str = "bidirectional"):
    """A small one in float64; `perturbed` adds noise to its initial weights, which can be zero."""
    torch.manual_seed(0)
    module = import_module(f"components.backbone.{value}")
    parameters = module.SMALL | {"token_shift": True, "positions": LENGTH}
    net = module.Backbone(SIZE, direction, *schedule(value), **parameters)
    net = net.eval().double()
    if perturbed:
        with torch.no_grad():
            for p in net.parameters():
                p += 0.1 * torch.randn(p.shape, generator=generator(1), dtype=p.dtype)
    return net


def schedule(value: str) -> list[LinearSchedule]:
    """The schedule, if the backbone reads it."""
    built = component("backbone", value).methods["Backbone"]["__init__"].wires
    return [LinearSchedule()] if "schedule" in built else []


def hidden(net, tokens, t=0.3):
    valid = torch.ones_like(tokens, dtype=torch.bool)
    time = torch.full((len(tokens), 1), t, dtype=torch.float64)
    with torch.no_grad():
        return net(tokens, valid, *([time] if hasattr(net, "time") else []))


def inputs():
    return torch.randint(0, SIZE, (ROWS, LENGTH), generator=generator())


@pytest.mark.parametrize("value", ALL)
def test_a_backbone_keeps_the_laws_of_models(value, tmp_path):
    """With token shift."""
    m = method(tmp_path, backbone=f"{{kind: {value}, token_shift: true}}")
    for name in ("padding has no effect", "sequences of a batch are independent", DIRECTION):
        holds(m, name)


@pytest.mark.parametrize("value", CACHED)
def test_a_causal_backbone_does_not_look_ahead(value, tmp_path):
    holds(method(tmp_path, PLAIN, backbone=f"{{kind: {value}, token_shift: true}}"), DIRECTION)


def test_causal_attention_needs_no_mask():
    """At valid positions it equals attention under a mask of padding and of later positions.

    The control: a mask of padding alone.
    """
    torch.manual_seed(0)
    attention, x = Attention(32, 4, causal=True), torch.randn(ROWS, LENGTH, 32)
    valid = torch.arange(LENGTH) < torch.tensor([LENGTH, 4, 1])[:, None]
    given = angles(torch.arange(LENGTH), 8)
    with torch.no_grad():
        plain = attention(x, None, *given)[valid]
        masked, wrong = (
            attention(x, m, *given)[valid] for m in (visible(valid).tril(), visible(valid))
        )
    assert (plain - masked).abs().max() < 1e-6
    assert (plain - wrong).abs().max() > 1e-3


@pytest.mark.parametrize("value", ALL)
def test_without_padding_there_is_no_mask(value, monkeypatch):
    """Equal hidden states. The control: causal attention."""
    module, net, found = import_module(f"components.backbone.{value}"), backbone(value), []
    attend = torch.nn.functional.scaled_dot_product_attention

    def noted(q, k, v, mask, is_causal):
        found.append(mask is None and not is_causal)
        return attend(q, k, v, mask, is_causal=is_causal)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", noted)
    plain = hidden(net, inputs())
    monkeypatch.setattr(module, "padding_mask", visible)
    masked = hidden(net, inputs())
    assert found == 2 * [True] + 2 * [False]
    assert (plain - masked).abs().max() < 1e-12
    for block in net.blocks:
        block.attention.causal = True
    monkeypatch.setattr(module, "padding_mask", lambda valid: None)
    assert (plain - hidden(net, inputs())).abs().max() > 1e-3


@pytest.mark.parametrize("value", READING)
@pytest.mark.parametrize("direction", ["bidirectional", "causal"])
def test_hidden_states_where_they_are_read_are_those_of_all(value, direction):
    """Also the gradients of all weights; others are NaN. The control: other positions."""
    read = torch.rand(ROWS, LENGTH, generator=generator(3)) < 0.4
    net, other = backbone(value, direction=direction), backbone(value, direction=direction)
    weight = torch.rand(ROWS, LENGTH, 1, generator=generator(4), dtype=torch.float64)
    given = [inputs(), torch.arange(LENGTH) < torch.tensor([LENGTH, 4, 6])[:, None]]
    given += [torch.full((ROWS, 1), 0.3, dtype=torch.float64)] if hasattr(net, "time") else []
    every, some = net(*given), other(*given, read=read)
    (weight * every)[read].square().sum().backward()
    (weight * some)[read].square().sum().backward()
    assert torch.equal(some.isnan().all(-1), ~read)
    assert (every[read] - some[read]).abs().max() < 1e-12
    assert (every[read].roll(1, 0) - some[read]).abs().max() > 1e-3
    for (name, p), q in zip(net.named_parameters(), other.parameters(), strict=True):
        assert (p.grad - q.grad).abs().max() < 1e-10 * (1 + p.grad.abs().max()), name


@pytest.mark.parametrize("value", TIMED)
def test_hidden_states_depend_on_the_time(value):
    """Not with the initial weights; with perturbed weights, at every position."""
    fresh, perturbed = backbone(value, perturbed=False), backbone(value)
    assert torch.equal(hidden(fresh, inputs(), t=0.1), hidden(fresh, inputs(), t=0.9))
    change = (hidden(perturbed, inputs(), t=0.1) - hidden(perturbed, inputs(), t=0.9)).abs()
    assert (change.amax(2) > 1e-4).all()


@pytest.mark.parametrize("value", TIMED)
def test_close_times_are_distinguished(value):
    """A difference of 0.01 has an effect, and a smaller one than a difference of 0.5."""
    net = backbone(value)
    near, far = (
        (hidden(net, inputs(), t=0.3) - hidden(net, inputs(), t=t)).norm() for t in (0.31, 0.8)
    )
    assert 1e-4 < near < far


@pytest.mark.parametrize("value", ALL)
def test_rotary_positions_encode_the_order(value):
    """Swapping two tokens has an effect, without learned positions and token shift."""
    torch.manual_seed(0)
    module = import_module(f"components.backbone.{value}")
    net = module.Backbone(SIZE, "bidirectional", *schedule(value), **module.SMALL).eval().double()
    with torch.no_grad():
        for p in net.parameters():
            p += 0.1 * torch.randn(p.shape, generator=generator(1), dtype=p.dtype)
    tokens = inputs()
    tokens[:, 2], tokens[:, 5] = 1, 2
    swapped = tokens.clone()
    swapped[:, 2], swapped[:, 5] = 2, 1
    assert ((hidden(net, tokens) - hidden(net, swapped))[:, 0].abs().amax(1) > 1e-6).all()


@pytest.mark.parametrize("value", TIMED)
def test_zero_linear_maps_are_zero_without_initialize(value, monkeypatch):
    """Also in a copy of a backbone that initializes its layers otherwise."""
    module = import_module(f"components.backbone.{value}")
    monkeypatch.setattr(module, "initialize", lambda _: None)
    net = backbone(value, perturbed=False)
    assert torch.equal(hidden(net, inputs(), t=0.1), hidden(net, inputs(), t=0.9))
    assert "zeros_" not in Path(module.__file__).read_text()


def test_a_shifted_backbone_is_the_unshifted_one_a_position_later():
    plain, shifted = backbone("rotary"), backbone("rotary_shifted")
    assert torch.equal(hidden(shifted, inputs())[:, 1:], hidden(plain, inputs())[:, :-1])


def test_the_gelu_of_mdlm_is_nearly_the_exact_one():
    """1e-3 apart at most; equal weights."""
    module = import_module("components.backbone.dit")
    nets = []
    for gelu in ("exact", "tanh"):
        torch.manual_seed(0)
        net = module.Backbone(SIZE, "bidirectional", **module.SMALL, gelu=gelu).eval().double()
        with torch.no_grad():
            for p in net.parameters():
                p += 0.1 * torch.randn(p.shape, generator=generator(1), dtype=p.dtype)
        nets.append(net)
    apart = (hidden(nets[0], inputs()) - hidden(nets[1], inputs())).abs().max()
    assert 1e-6 < apart < 1e-2


def test_the_sigma_embedding_is_that_of_mdlms_code():
    """Its 256 features of sigma; where alpha is 0 they are finite. The control: those of t."""
    embed = SigmaEmbedding(256, LinearSchedule(1e-3)).double()
    for p in (embed.first, embed.last):
        p.weight.data = torch.eye(256, dtype=torch.float64)
        p.bias.data.zero_()
    t = torch.tensor([[0.2], [0.9], [1.0]], dtype=torch.float64)
    sigma = -torch.log1p(-(1 - 1e-3) * t)  # its loglinear noise
    frequencies = torch.exp(-torch.tensor(10_000.0).log() * torch.arange(128) / 128)
    right, wrong = (
        torch.cat([(a * frequencies).cos(), (a * frequencies).sin()], -1) for a in (sigma, t)
    )
    found = embed(t)[:, 0]
    silu = torch.nn.functional.silu
    assert (found - silu(right)).abs().max() < 1e-5 < (found - silu(wrong)).abs().max()
    assert SigmaEmbedding(8, LinearSchedule())(torch.ones(1, 1)).isfinite().all()
