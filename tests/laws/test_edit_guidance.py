"""Guidance of edits: geometric means of rates and distributions; at scale 0 nothing, to the bit."""

import pytest
import torch
from methods import EDITED, package

from components.types import Examples, Vocab
from components.wrap.edit_guidance import EditGuidance

VOCAB = Vocab(size=6, pad=5, bos=4)
RATES = ("gap_count", "delete_rate", "substitute_rate")
LOGITS = ("gap_token_logits", "token_logits")
SCALE = 1.5


class Random:
    """A model whose outputs depend on all tokens before a position: its hidden states are ids."""

    def __init__(self):
        self.table = torch.randn(
            997, 3 + 2 * 6, generator=torch.Generator().manual_seed(0)
        ).double()

    def __call__(self, tokens, valid, t=None):
        key = (tokens * valid).cumsum(1) * 31 + tokens
        return (key % 997).double()[..., None]

    def __getattr__(self, head):
        if head in RATES:
            return lambda hidden: self.table[hidden[..., 0].long(), RATES.index(head)].exp()
        first = 3 + 6 * LOGITS.index(head)
        return lambda hidden: self.table[hidden[..., 0].long(), first : first + 6]


def examples() -> Examples:
    """BOS, a prompt of two tokens, BOS, four free positions."""
    tokens = torch.tensor([[4, 0, 1, 4, 5, 5, 5, 5], [4, 2, 3, 4, 5, 5, 5, 5]])
    fixed = (torch.arange(8) < 4).expand(2, -1)
    return Examples(tokens, torch.ones_like(fixed), fixed)


@pytest.mark.parametrize("head", [*RATES, *LOGITS])
def test_a_guided_output_is_a_geometric_mean(head):
    """Of the model with the prompt, and with BOS in its place. The control: of another scale."""
    model, x = Random(), examples()
    state = torch.tensor([[4, 0, 1, 4, 2, 2, 0, 1], [4, 2, 3, 4, 1, 0, 0, 3]])
    blind = state.clone()
    blind[:, :4] = 4

    def of(m, tokens):
        out = getattr(m, head)(m(tokens, torch.ones_like(tokens).bool()))
        return out if head in RATES else out.softmax(-1)

    given, without = of(model, state), of(model, blind)
    assert not torch.allclose(given, without)
    right, wrong = (given ** (1 + s) / without**s for s in (SCALE, SCALE + 0.1))
    if head in LOGITS:
        right, wrong = (p / p.sum(-1, keepdim=True) for p in (right, wrong))
    guided = of(EditGuidance(model, x, VOCAB, scale=SCALE), state)
    assert torch.allclose(guided, right)
    assert not torch.allclose(guided, wrong)
    assert torch.equal(of(EditGuidance(model, x, VOCAB, scale=0.0), state), given)


def test_samples_at_scale_zero_are_those_without_guidance(tmp_path):
    """To the bit, with a network; the control: another scale."""
    found = {}
    for scale in (None, 0, 5):
        wrap = "" if scale is None else f", wrap: [edit_guidance: {{scale: {scale}}}]"
        sampler = f"{{kind: edit_leaping, steps: 12{wrap}}}"
        made = package(tmp_path, EDITED, sampler=sampler)
        config = made.Config.small()
        torch.manual_seed(0)
        model = made.Model(config).eval()
        for p in model.parameters():
            torch.nn.init.normal_(p, std=0.2)
        tokens = torch.randint(0, 8, (20, 14), generator=torch.Generator().manual_seed(1))
        tokens[:, [0, 4]] = config.vocab.bos
        fixed = (torch.arange(14) < 5).expand(20, -1)
        x = made.Examples(tokens, torch.ones_like(fixed), fixed)
        *_, last = made.sample(model, config, x, torch.Generator().manual_seed(0))
        found[scale] = torch.where(last.valid, last.tokens, -1)
    assert torch.equal(found[None], found[0])
    assert not torch.equal(found[None], found[5])
