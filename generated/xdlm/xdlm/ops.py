"""Small tensor operations on sequences of varying length."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Generator, Tensor
from torch.utils.checkpoint import checkpoint

from .types import Draw, Examples, Interval, Kernel, MixedSchedule, TokenPositions, Vocab


def scatter(values: Tensor, row: Tensor, col: Tensor, like: Tensor) -> Tensor:
    """Values (N,) at positions (row, col) -> (B, L) of `like` (B, L, ...), zero elsewhere."""
    return values.new_zeros(like.shape[:2]).index_put((row, col), values, accumulate=True)


def uniform_tokens(vocab: Vocab, like: Tensor) -> Tensor:
    """The uniform distribution over the tokens that sequences contain, (V,)."""
    p = like.new_ones(vocab.size)
    p[list(vocab.special)] = 0
    return p / p.sum()


def mixed_tokens(share: Tensor, vocab: Vocab) -> Tensor:
    """A share (B, 1) of random tokens, and masks: their distribution, (B, V)."""
    mask = share.new_zeros(vocab.size)
    mask[vocab.mask] = 1
    return (1 - share) * mask + share * uniform_tokens(vocab, share)


def mixed_noise(t: Tensor, schedule: MixedSchedule, vocab: Vocab) -> tuple[Tensor, Tensor]:
    """P(x_t = y | x_0) at time t (B, 1) for each y other than x_0, and its derivative, (B, V)."""
    tokens, mask = (mixed_tokens(share, vocab) for share in (torch.ones_like(t), 0 * t))
    mixed, noise = mixed_tokens(schedule.random_share(t), vocab), 1 - schedule.alpha(t)
    dmixed = schedule.drandom_share(t) * (tokens - mask)
    return noise * mixed, noise * dmixed - schedule.dalpha(t) * mixed


def random_tokens(x: Examples, vocab: Vocab, rng: Generator) -> Tensor:
    """A token of this distribution at each position, (B, L)."""
    allowed = uniform_tokens(vocab, torch.ones((), device=x.tokens.device)).nonzero()[:, 0]
    drawn = torch.randint(len(allowed), x.tokens.shape, generator=rng, device=allowed.device)
    return allowed[drawn]


def states_p(z, x: Examples, alpha: Tensor, mass: Tensor) -> Tensor:
    """P(x_t | x_0, t), (B,): alpha [x_t = x_0] + mass(x_t) at each free position.

    `alpha` (B, 1), `mass` (B, V). Other positions do not change.
    """
    same = (z.tokens == x.tokens).to(alpha.dtype)
    free = x.valid & ~x.fixed
    return torch.where(free, alpha * same + mass.gather(1, z.tokens), same).prod(1)


def reverse_step(model, state, t: Tensor, s_to_t: Kernel, to_s: Kernel, draw: Draw, rng: Generator):
    """x_s at each free position, from q(x_s | x_t) ~ P(x_t | x_s) P(x_s), independently.

    P(x_s) is the noise `to_s` of the predicted x_0, which is a prediction without x_t at this
    position: P(x_t | x_s) contains it. A token that this makes impossible stays.
    """
    row, col = (state.valid & ~state.fixed).nonzero(as_tuple=True)
    now = state.tokens[row, col, None]
    hidden = model(state.tokens, state.valid, t)
    predicted = model.token_logits(hidden[row, col]).softmax(-1)  # (N, V)
    arrived = s_to_t.enter.gather(1, now).expand_as(predicted)  # P(x_t | each x_s)
    arrived = arrived.scatter_add(1, now, s_to_t.keep.expand_as(now))
    p = arrived * (to_s.keep * predicted + to_s.enter)
    p = p.scatter_add(1, now, (p.sum(-1, keepdim=True) == 0).to(p))
    return state._replace(tokens=state.tokens.index_put((row, col), draw(p.log(), rng)))


def intervals(grid: Tensor, state) -> Iterator[Interval]:
    """The steps t -> s from each time of a grid to the next, each (B, 1)."""
    for t, s in pairwise(grid):
        yield Interval(t.expand(len(state.tokens), 1), s.expand(len(state.tokens), 1))


def categorical(p: Tensor, rng: Generator) -> Tensor:
    """An index for each row of p (N, K), drawn in proportion to its entries, (N,).

    By the inverse of the cumulative sums, with one number of 53 bits for each row, where
    `torch.multinomial` draws K. An entry of zero is never drawn. Raises ValueError if the sum of a
    row is zero or not a number.
    """
    mass = p.cumsum(-1, dtype=torch.float64)
    total = mass[:, -1:]
    if not (total > 0).all():
        raise ValueError("nothing to draw from: probabilities are zero or not numbers")
    u = torch.rand(total.shape, generator=rng, device=p.device, dtype=mass.dtype)
    return torch.searchsorted(mass, u * total, right=True)[:, 0]


def pieces(total: int, each: int, most: int = 1 << 25) -> Iterator[slice]:
    """Slices of `total` items of `each` numbers, with at most `most` numbers per slice.

    If `total` is zero, one empty slice.
    """
    size = max(1, most // each)
    for first in range(0, max(total, 1), size):
        yield slice(first, min(first + size, total))


def position_nats(
    nats: Callable, head: Callable, hidden: Tensor, target: TokenPositions, tokens: Tensor, *of_rows
) -> Tensor:
    """nats(head(hidden), token, x_t, *of_rows) of N target positions, as (B, L).

    `hidden` is (B, L, D), of which the head gets (N, D); `of_rows` are (B, ...). With a large
    vocabulary it is computed in pieces, and recomputed for the gradient, to save memory.
    """
    row, col, token = target

    def run(hidden: Tensor, row: Tensor, token: Tensor, now: Tensor) -> Tensor:
        return nats(head(hidden), token, now, *(a[row] for a in of_rows))

    parts = list(pieces(len(row), max(a.shape[1] for a in of_rows), 1 << 20))
    found = []
    for p in parts:
        given = hidden[row[p], col[p]], row[p], token[p], tokens[row[p], col[p]]
        whole = len(parts) == 1
        found.append(run(*given) if whole else checkpoint(run, *given, use_reentrant=False))
    return scatter(torch.cat(found), row, col, hidden)


def probabilities(head: Callable, hidden: Tensor) -> Tensor:
    """Of the tokens, (N, V) float64, from hidden states (N, D)."""
    return head(hidden).double().softmax(-1)


def jump_nats(
    predicted: Tensor, clean: Tensor, now: Tensor, alpha: Tensor, mass: Tensor, rho: Tensor
) -> Tensor:
    """rho(z) sum_y [s_y - r_y + r_y log(r_y / s_y)], (N,): the divergence of rates of jumps from z.

    z = x_t (N,); r_y = q(y) / q(z) with q = alpha [x_0] + mass, and s_y the same with a prediction
    of x_0 (N, V) of any total. alpha (N, 1); mass and rho, the rate of the noise, (N, V).
    """
    q = mass.scatter_add(1, clean[:, None], alpha)
    p = alpha * predicted + mass
    p = p.clamp(min=torch.finfo(p.dtype).tiny)  # tokens without probability count zero
    divergence = (torch.xlogy(q, q) - torch.xlogy(q, p)).sum(-1)
    q_z, p_z, rho_z = (a.gather(1, now[:, None])[:, 0] for a in (q, p, rho))
    ratio = q_z / p_z
    return rho_z / q_z * (divergence + p.sum(-1) * ratio - ratio.log() - 1)


def arrival_rate(
    alpha: Tensor, dalpha: Tensor, mass: Tensor, dmass: Tensor, least: float = 1e-8
) -> Tensor:
    """rho = mass' - (alpha' / alpha) mass, (B, V): the rate of arrival of noise at each token.

    Infinite at alpha = 0. With alpha at least 1e-8, the nats that it multiplies fall with alpha^2,
    down to rounding.
    """
    return dmass - dalpha / alpha.clamp(min=least) * mass
