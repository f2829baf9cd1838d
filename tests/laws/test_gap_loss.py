"""The sparse gap cross-entropy and insertion bound equal the dense formulas.

In float64, with gradients and negative controls.
"""

from math import log

import pytest
import torch
from laws.sampled_laws import laid_out

from components.count import uniform
from components.loss.gap_cross_entropy import gap_cross_entropy
from components.loss.insertion_bound import insertion_bound
from components.process.drop import corrupt
from components.target.gap_tokens import gap_tokens
from components.types import Examples, Vocab
from xlm_spec.laws.toy_distribution import generator, toy_distribution


@pytest.mark.parametrize(("length", "floor"), [(4, 0.6356), (5, 0.7979)])
def test_the_minimum_of_gap_cross_entropy_is_the_mean_of_ln_max_n_1(length, floor):
    """For one sequence only the order is random: ln n nats for n missing tokens."""
    x = laid_out(torch.arange(9, 10 + length)[None], torch.tensor([1 + length]), Examples)
    vocab = Vocab(size=20, bos=9)
    means = []
    for n in range(length + 1):
        corrupted = torch.zeros_like(x.valid)
        corrupted[:, 1 : 1 + n] = True
        z = corrupt(x, corrupted)
        target = gap_tokens(x, z.dropped, z.gap, z.open)
        logits = torch.full((1, 1 + length, 20), -torch.inf)
        logits[0, target.col, target.token] = 0.0
        means.append(float(gap_cross_entropy(Table(), logits, target, vocab)))
    expected = sum(log(max(n, 1)) for n in range(length + 1)) / (length + 1)
    assert abs(expected - floor) < 1e-4
    assert abs(sum(means) / len(means) - expected) < 1e-6


class Table:
    """A model whose hidden states are the scores."""

    def gap_token_logits(self, hidden):
        return hidden


def some_target(rows=5, length=9, vocab=11, seed=0):
    rng = generator(seed)
    tokens = torch.randint(0, vocab - 1, (rows, length), generator=rng)
    x = laid_out(tokens, torch.randint(3, length + 1, (rows,), generator=rng), Examples)
    z = corrupt(x, uniform.select_tokens(x, rng))
    return gap_tokens(x, z.dropped, z.gap, z.open)


def dense(logits, target):
    """The formula: counts (B, L, V), normalised, against one softmax, float64."""
    counts = torch.zeros_like(logits)
    for b, i, v in zip(target.row, target.col, target.token, strict=True):
        counts[b, i, v] += 1
    log_p = logits.masked_fill(~target.open[..., None], -torch.inf).flatten(1).log_softmax(1)
    share = counts.flatten(1) / counts.flatten(1).sum(1, keepdim=True).clamp(min=1)
    cross = -torch.where(share > 0, share * log_p, 0.0).sum(1, keepdim=True)
    return cross, cross - counts.sum((1, 2))[:, None].clamp(min=1).log()


@pytest.mark.parametrize("piece", [None, 40])
def test_the_sparse_losses_and_their_gradients_equal_the_dense_ones(piece, monkeypatch):
    """Also if scores are computed in pieces, and again in the backward pass."""
    if piece:
        from components import ops

        pieces = ops.pieces
        monkeypatch.setattr(ops, "pieces", lambda total, each: pieces(total, each, piece))
    target, vocab = some_target(), Vocab(size=11)
    logits = torch.randn(*target.open.shape, 11, generator=generator(), dtype=torch.float64)
    logits.requires_grad_()
    for loss, i in zip((gap_cross_entropy, insertion_bound), (0, 1), strict=True):
        sparse, full = loss(Table(), logits, target, vocab), dense(logits, target)[i]
        assert torch.allclose(sparse, full, atol=1e-9)
        a, b = (torch.autograd.grad(v.sum(), logits)[0] for v in (sparse, full))
        assert torch.allclose(a, b, atol=1e-9)


def test_control_a_normaliser_over_closed_gaps_is_another_loss():
    target = some_target()
    logits = torch.randn(*target.open.shape, 11, generator=generator(), dtype=torch.float64)
    everywhere = target._replace(open=torch.ones_like(target.open))
    vocab = Vocab(size=11)
    right = gap_cross_entropy(Table(), logits, target, vocab)
    wrong = gap_cross_entropy(Table(), logits, everywhere, vocab)
    assert not torch.allclose(right, wrong, atol=1e-3)


def test_a_complete_sequence_has_no_loss_and_a_zero_gradient():
    target = some_target()
    none = target._replace(**{k: getattr(target, k)[:0] for k in ("row", "col", "token", "number")})
    logits = torch.randn(*target.open.shape, 11, requires_grad=True)
    nats = gap_cross_entropy(Table(), logits, none, Vocab(size=11))
    nats.sum().backward()
    assert (nats == 0).all()
    assert (logits.grad == 0).all()


def test_inserting_the_dropped_tokens_restores_the_sequence():
    tokens, valid = toy_distribution("grow").batch()
    x = laid_out(tokens, valid.sum(1), Examples)
    z = corrupt(x, uniform.select_tokens(x, generator(2)))
    target = gap_tokens(x, z.dropped, z.gap, z.open)
    lines = [line[:n].tolist() for line, n in zip(z.tokens, z.valid.sum(1), strict=True)]
    for row, col, token in reversed([*zip(*(a.tolist() for a in target[:3]), strict=True)]):
        lines[row].insert(col + 1, token)
    assert lines == [t[v].tolist() for t, v in zip(x.tokens, x.valid, strict=True)]
