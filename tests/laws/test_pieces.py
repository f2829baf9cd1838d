"""Cross-entropies computed in pieces equal those of all logits at once, with gradients.

A head sees at most the stated number of logits, also in the backward pass.
"""

import pytest
import torch

from components import ops
from components.head.stop_logit import StopLogit
from components.head.token_logits import TokenLogits
from components.loss.cross_entropy import cross_entropy
from components.loss.per_gap_cross_entropy import per_gap_cross_entropy
from components.loss.share_cross_entropy import share_cross_entropy
from components.types import GapShares, GapTokens, TokenPositions, Vocab
from xlm_spec.laws.toy_distribution import generator
from xlm_spec.runtime.machine.memory import peak_of

ROWS, LENGTH, WIDTH, WORDS = 4, 9, 16, 23
PIECE = 3 * WORDS  # logits; three positions


class Model(torch.nn.Module):
    """Real heads; notes the logits of each call."""

    def __init__(self, words=WORDS):
        super().__init__()
        torch.manual_seed(0)
        self.token_logits = TokenLogits(WIDTH, Vocab(size=words, pad=0, bos=1, eos=2, mask=3))
        self.gap_token_logits, self.gap_end_logit = self.token_logits, StopLogit(WIDTH)
        self.calls: list[int] = []
        note = lambda *call: self.calls.append(call[2].numel())  # noqa: E731
        self.token_logits.register_forward_hook(note)


def hidden_states():
    return torch.randn(ROWS, LENGTH, WIDTH, generator=generator(1))


def targets():
    where = torch.rand(ROWS, LENGTH, generator=generator(2)) < 0.6
    row, col = where.nonzero(as_tuple=True)
    token = torch.randint(4, WORDS, row.shape, generator=generator(3))
    number = torch.rand(row.shape, generator=generator(4))
    return {
        cross_entropy: TokenPositions(row, col, token),
        per_gap_cross_entropy: GapTokens(row, col, token, where, number),
        share_cross_entropy: GapShares(row, col, token, number, ~where),
    }


def of_loss(loss, monkeypatch, piece=None):
    """The value, the gradients of hidden states and weights, and the logits of each call."""
    with monkeypatch.context() as m:
        if piece:
            m.setattr(ops.pieces, "__defaults__", (piece,))
        model, hidden = Model(), hidden_states().requires_grad_()
        value = loss(model, hidden, targets()[loss])
        weight = torch.rand(value.shape, generator=generator(5))  # of each term
        (weight * value).sum().backward()
    gradients = [hidden.grad, *(p.grad for p in model.token_logits.parameters())]
    return value.detach(), gradients, model.calls


LOSSES = (cross_entropy, per_gap_cross_entropy, share_cross_entropy)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda f: f.__name__)
def test_pieces_change_nothing(loss, monkeypatch):
    """To 1e-6, relative to the largest. The control: pieces in another order."""
    value, gradients, whole = of_loss(loss, monkeypatch)
    value_2, gradients_2, calls = of_loss(loss, monkeypatch, PIECE)
    for a, b in zip([value, *gradients], [value_2, *gradients_2], strict=True):
        assert (a - b).abs().max() < 1e-6 * a.abs().max()
    assert max(whole) > PIECE
    assert max(calls) <= PIECE
    assert len([c for c in calls if c]) == 2 * -(-max(whole) // PIECE)  # forward and backward
    every = ops.pieces
    monkeypatch.setattr(ops, "pieces", lambda *given: [*every(*given, PIECE)][::-1])
    wrong = of_loss(loss, monkeypatch)[0]
    assert (value - wrong).abs().max() > 0.01 * value.abs().max()


def test_memory_does_not_grow_with_the_number_of_logits(monkeypatch):
    """4,000 positions of 500 tokens, 2^16 at once: measured 0.16 of the peak (tolerance 0.3)."""
    model, hidden = Model(500), torch.randn(1, 4000, WIDTH, generator=generator())
    row, col = torch.zeros(4000, dtype=torch.long), torch.arange(4000)
    target = TokenPositions(row, col, col % 400 + 4)

    def step():
        cross_entropy(model, hidden.clone().requires_grad_(), target).sum().backward()

    step()  # allocates the gradients
    plain = peak_of(step, torch.device("cpu"))
    monkeypatch.setattr(ops.pieces, "__defaults__", (1 << 16,))
    assert peak_of(step, torch.device("cpu")) < 0.3 * plain


def test_without_targets_the_loss_is_zero():
    none = torch.zeros(0, dtype=torch.long)
    hidden = hidden_states().requires_grad_()
    nats = cross_entropy(Model(), hidden, TokenPositions(none, none, none))
    nats.sum().backward()
    assert not nats.any()
    assert not hidden.grad.any()
