"""Small tensor operations on sequences of varying length."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.utils.checkpoint import checkpoint

from .types import (
    Draw,
    Examples,
    GapState,
    GapTokens,
    Interval,
    Kernel,
    MixedSchedule,
    Portion,
    Remembered,
    Schedule,
    State,
    Stop,
    TokenPositions,
    Vocab,
)


def scatter(values: Tensor, row: Tensor, col: Tensor, like: Tensor) -> Tensor:
    """Values (N,) at positions (row, col) -> (B, L) of `like` (B, L, ...), zero elsewhere."""
    return values.new_zeros(like.shape[:2]).index_put((row, col), values, accumulate=True)


def rank(score: Tensor, row: Tensor) -> Tensor:
    """Rank (N,) of each position within its row, the highest score first: 0, 1, ..."""
    order = score.argsort(descending=True, stable=True)
    order = order[row[order].argsort(stable=True)]  # by row, then by score
    count = row.bincount()
    first = count.cumsum(0) - count  # of each row, within `order`
    ranks = torch.arange(len(row), device=row.device) - first[row[order]]
    return torch.empty_like(row).index_put((order,), ranks)


def random_subset(free: Tensor, k: Tensor, rng: Generator) -> Tensor:
    """k (B, 1) of the free positions of each row, every set equally likely, (B, L) bool."""
    key = torch.rand(free.shape, generator=rng, device=free.device).masked_fill(~free, 2.0)
    return free & (key.argsort(1).argsort(1) < k)


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


def denoised(logits: Tensor, now: Tensor, alpha: Tensor, mass: Tensor) -> Tensor:
    """log p(x_0 | x_t), (N, V), not normalised, from log p(x_0 | x_t without this position).

    The factor between them is P(x_t | x_0) = alpha [x_t = x_0] + mass(x_t) (arXiv:2605.22765).
    `now` (N,): x_t at each position, `alpha` (N, 1), `mass` (N, V). A token that this makes
    impossible is x_0.
    """
    arrived = mass.gather(1, now[:, None]).expand_as(mass).scatter_add(1, now[:, None], alpha)
    log_p = logits + arrived.log()
    impossible = (log_p == -torch.inf).all(1)
    return log_p.index_put((impossible, now[impossible]), log_p.new_zeros(()))


def without_now(logits: Tensor, now: Tensor, alpha: Tensor, mass: Tensor) -> Tensor:
    """log p(x_0 | x_t without this position), (N, V), not normalised, from log p(x_0 | x_t).

    The inverse of `denoised`, with the same arguments. Where x_t can only be x_0 the prediction
    without it is unknown, and the logits of other tokens stay.
    """
    arrived = mass.gather(1, now[:, None]).expand_as(mass).scatter_add(1, now[:, None], alpha)
    return logits - torch.where(arrived > 0, arrived, 1.0).log()


def masked_positions(state, vocab: Vocab) -> Tensor:
    """The masks that a sampler may still unmask, (B, L) bool."""
    return (state.tokens == vocab.mask) & state.valid & ~state.fixed


def time_when_masked(state, masked: Tensor, schedule: Schedule) -> Tensor:
    """The t (B, 1) at which this share of the free positions is masked: 1 - alpha(t) = share."""
    free = state.valid & ~state.fixed
    share = masked.sum(1, keepdim=True) / free.sum(1, keepdim=True)
    return schedule.inverse(1 - share)


def hidden_at(model, state, where: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(row, col, hidden (N, D)) of the N positions `where` (B, L); evaluates only rows with one."""
    rows = where.any(1).nonzero()[:, 0]
    hidden = model(state.tokens[rows], state.valid[rows], t[rows])
    local, col = where[rows].nonzero(as_tuple=True)
    return rows[local], col, hidden[local, col]


def logits_at(model, state, where: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(row, col, logits (N, V)) of the N positions `where` (B, L)."""
    row, col, hidden = hidden_at(model, state, where, t)
    return row, col, model.token_logits(hidden)


def probability(logits: Tensor, token: Tensor) -> Tensor:
    """p(token), (N,) float32, from logits (N, V)."""
    return logits.softmax(-1).gather(1, token[:, None])[:, 0].float()


def intervals(grid: Tensor, state) -> Iterator[Interval]:
    """The steps t -> s from each time of a grid to the next, each (B, 1)."""
    for t, s in pairwise(grid):
        yield Interval(t.expand(len(state.tokens), 1), s.expand(len(state.tokens), 1))


def portions(
    masks: Tensor, steps: int, counts: str, end: float, schedule: Schedule, rng: Generator
) -> Iterator[Portion]:
    """How many of the masks (B,) of each row every step unmasks, from t = 1 to t = `end`.

    A step from t to s unmasks a share f = (alpha(s) - alpha(t)) / (1 - alpha(t)) of m masks:
    "floor" and "round" make f m an integer, "binomial" draws it, "masks_left" leaves floor((1 -
    alpha(s)) masks), at least one and one less than m. "even" does not depend on the schedule:
    masks / steps, one more in each of the first masks mod steps. The last step unmasks the rest.
    """
    left = masks  # (B,)
    for i in range(steps):
        t, s = (1 - (1 - end) * j / steps for j in (i, i + 1))
        alpha_t, alpha_s = schedule.alpha(torch.tensor([t, s], dtype=torch.float64)).tolist()
        share = min((alpha_s - alpha_t) / (1 - alpha_t), 1.0)
        if i == steps - 1:
            number = left
        elif counts == "even":
            number = masks // steps + (i < masks % steps)
        elif counts == "floor":
            number = (left * share + 1e-9).floor().long()
        elif counts == "round":
            number = (left * share).round().long()
        elif counts == "binomial":
            p = torch.full(left.shape, share, device=left.device)
            number = torch.binomial(left.float(), p, generator=rng).long()
        else:
            kept = (masks * (1 - alpha_s) + 1e-9).floor().long()
            number = (left - torch.minimum(kept, left - 1).clamp(min=1)).clamp(min=0)
        yield Portion(number, 1 - (i + 1) / steps)
        left = left - number


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


def with_gumbel(score: Tensor, scale: float, rng: Generator) -> Tensor:
    """Scores (N,) plus Gumbel noise: ranked, a draw without replacement ~ exp(score / scale)."""
    if scale == 0:
        return score
    return score - scale * torch.empty_like(score).exponential_(generator=rng).log()


def remember(state: State) -> Remembered:
    """The state before any token is unmasked."""
    confidence = torch.zeros(state.tokens.shape, device=state.tokens.device)
    return Remembered(state.tokens, state.valid, state.fixed, confidence)


def unmasked_positions(state, vocab: Vocab) -> Tensor:
    """The tokens that a sampler has unmasked and may mask again, (B, L) bool."""
    return (state.tokens != vocab.mask) & state.valid & ~state.fixed


def largest_sigma(t: Tensor, s: Tensor, schedule: Schedule) -> Tensor:
    """(1 - alpha(s)) / alpha(t), at most 1, (B, 1): no sigma may be larger (arXiv:2503.00307)."""
    alpha_t = schedule.alpha(t)
    tiny = torch.finfo(alpha_t.dtype).tiny  # alpha is 0 at t = 1
    return ((1 - schedule.alpha(s)) / alpha_t.clamp(min=tiny)).clamp(max=1)


def rewrite(
    model,
    state: Remembered,
    sigma: Tensor,
    t: Tensor,
    s: Tensor,
    schedule: Schedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
) -> Remembered:
    """A step of ReMDM (arXiv:2503.00307): remasks w.p. sigma (B, L), and unmasks."""
    alpha_t, alpha_s = schedule.alpha(t), schedule.alpha(s)  # (B, 1)
    fires = (alpha_s - (1 - sigma) * alpha_t) / (1 - alpha_t)
    u = torch.rand(state.tokens.shape, generator=rng, device=state.tokens.device)
    fired = masked_positions(state, vocab) & (u < fires)
    tokens = state.tokens.masked_fill(unmasked_positions(state, vocab) & (u < sigma), vocab.mask)
    if not fired.any():
        return state._replace(tokens=tokens)
    row, col, logits = logits_at(model, state, fired, t)
    token = draw(logits, rng)
    return state._replace(
        tokens=tokens.index_put((row, col), token),
        confidence=state.confidence.index_put((row, col), probability(logits, token)),
    )


def number_of_sets(n: Tensor, k: Tensor) -> Tensor:
    """C(n, k), float64: the number of ways to corrupt k of n positions."""
    n, k = n.double(), k.double()
    return (torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)).exp()


def compact(keep: Tensor, *arrays: Tensor) -> tuple[Tensor, ...]:
    """Moves the kept positions to the front of each row, in order: (keep, *arrays), each (B, L)."""
    order = (~keep).long().argsort(dim=1, stable=True)
    return tuple(a.gather(1, order) for a in (keep, *arrays))


def read_positions(x: Examples) -> Tensor:
    """Where losses read hidden states, (B, L) bool: BOS, free positions, and that before one."""
    read = x.valid & ~x.fixed
    read[:, :-1] |= read[:, 1:].clone()
    read[:, 0] = True
    return read


def open_gaps(x: Examples) -> Tensor:
    """Tokens after which tokens may be inserted, (B, L) bool.

    All tokens but fixed ones before a fixed one; with `x.gaps`, those it marks and all tokens
    before a free one.
    """
    follows = torch.zeros_like(x.valid)  # is the next token fixed?
    follows[:, :-1] = (x.valid & x.fixed)[:, 1:]
    free = torch.zeros_like(x.valid)
    free[:, :-1] = (x.valid & ~x.fixed)[:, 1:]
    gaps = ~(x.fixed & follows) if x.gaps is None else x.gaps
    return x.valid & (gaps | free)


def missing_p(x: Examples, dropped: Tensor) -> Tensor:
    """P(token j of x_0 is missing right after token i of x_t | x_0, x_t), (j, i, B), (L, L, B).

    If all sets of a size are dropped equally often, so are all N(x_0, x_t) ways to find x_t as a
    subsequence of x_0; the sum over the tokens j that are v is the expected number of missing v,
    N(x_0, x_t with v after i) / N(x_0, x_t) (DID, arXiv:2603.23507). Given x_0 and x_t, a walk from
    left to right that has kept i tokens drops token j, if it could be kept, w.p. r / (r + 1): r is
    the number of ways to find x_t from its token i on in what follows j, divided by that from its
    token i + 1 on. The ratios are at most L; the numbers would overflow. Fixed tokens are kept.
    """
    keep = x.valid & ~dropped
    valid, tokens, fixed = compact(keep, x.tokens, x.fixed)
    left = F.pad(torch.where(valid, 2 * tokens + fixed, -1), (0, 1), value=-1)
    left = left.T.contiguous()  # (I, B), I = L + 1
    here = torch.where(x.valid, 2 * x.tokens + x.fixed, -2).T[:, None].contiguous()  # (L, 1, B)
    shape = len(here), *left.shape
    p = torch.eq(here, left, out=left.new_empty(shape, dtype=torch.float32))  # can j be kept?
    index = torch.arange(len(left), device=left.device)
    ratio = torch.where(index[:, None] < valid.sum(1), 0.0, 1e30)
    before, by_token = ratio[:-1], p.unbind()
    for p_j in reversed(by_token):
        total = ratio + p_j  # 0 only where no walk comes
        torch.div(ratio, total.clamp(min=1e-30), out=p_j)  # P(j is dropped | i are kept before it)
        torch.mul(total[:-1], p_j[1:], out=before)
    at = torch.zeros_like(ratio)  # P(i tokens are kept before j)
    at[0] = 1
    for p_j in by_token:
        p_j *= at
        at -= p_j
        at = torch.cat([p_j[:1], p_j[1:] + at[:-1]])
    return p.mul_((x.valid & ~x.fixed).T[:, None])[:, 1:]


def insert(counts: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Inserts counts (B, L) positions after the valid ones, up to the length of the row.

    Returns (valid, new, source), each (B, L): `source` is the former index of a position; of a new
    one, that of its left neighbour.
    """
    length = valid.shape[1]
    index = torch.arange(length, device=valid.device)
    used = valid.sum(1, keepdim=True)
    total = (counts * valid).cumsum(1).clamp(max=length - used)  # new positions up to and after one
    before = torch.cat([torch.zeros_like(total[:, :1]), total[:, :-1]], 1)
    moved = torch.where(valid, index + before, length)  # padding falls off the end
    old = valid.new_zeros(len(valid), length + 1).scatter(1, moved, valid)[:, :length]
    grown = index < used + total[:, -1:]
    return grown, grown & ~old, (old.long().cumsum(1) - 1).clamp(min=0)


def insert_one(state: GapState, row: Tensor, gap: Tensor, token: Tensor) -> GapState:
    """Inserts a token (N,) after position `gap` (N,) of N different rows; closes full rows."""
    counts = torch.zeros_like(state.tokens).index_put((row, gap), torch.ones_like(gap))
    valid, new, source = insert(counts, state.valid)
    inserted = torch.zeros_like(state.tokens[:, 0]).index_put((row,), token)[:, None]
    return GapState(
        tokens=torch.where(new, inserted, state.tokens.gather(1, source)),
        valid=valid,
        fixed=state.fixed.gather(1, source) & valid & ~new,
        open=state.open.gather(1, source) & valid & ~valid.all(1, keepdim=True),
    )


def insert_drawn(state: GapState, row: Tensor, col: Tensor, token: Tensor) -> GapState:
    """Inserts a token (N,) after each of N different positions, as many as fit in a row."""
    counts = torch.zeros_like(state.tokens).index_put((row, col), torch.ones_like(col))
    drawn = torch.zeros_like(state.tokens).index_put((row, col), token)
    valid, new, source = insert(counts, state.valid)
    tokens, drawn = state.tokens.gather(1, source), drawn.gather(1, source)
    return GapState(
        tokens=torch.where(new, drawn, tokens),
        valid=valid,
        fixed=state.fixed.gather(1, source) & valid & ~new,
        open=state.open.gather(1, source) & valid,
    )


def rate_divergence(
    head: Callable, hidden: Tensor, number: Tensor, where: Tensor, share: Tensor
) -> Tensor:
    """m - n - n log m at the positions `where` (B, L), zero elsewhere, (B, L).

    n is `share` (B, 1) times `number` (B, L), m is `share` times the head.
    """
    row, col = where.nonzero(as_tuple=True)
    share = share[row, 0]  # (N,)
    m, n = share * head(hidden[row, col]), share * number[row, col]
    return scatter(m - n - torch.xlogy(n, m), row, col, hidden)


def pieces(total: int, each: int, most: int = 1 << 25) -> Iterator[slice]:
    """Slices of `total` items of `each` numbers, with at most `most` numbers per slice.

    If `total` is zero, one empty slice.
    """
    size = max(1, most // each)
    for first in range(0, max(total, 1), size):
        yield slice(first, min(first + size, total))


def in_pieces(score: Callable, head: Callable, hidden: Tensor) -> Tensor:
    """score(logits) of N positions, (N,), from their hidden states (N, D); 2^25 logits at once."""
    words = head(hidden[:0]).shape[1]  # V
    return torch.cat([score(head(hidden[p])) for p in pieces(len(hidden), words)])


def token_nats(head: Callable, hidden: Tensor, token: Tensor) -> Tensor:
    """-log p(token) at N positions, (N,), from their hidden states (N, D).

    At most 2^25 logits are computed at once; if there are more, each piece of them is computed
    again for the gradient, so that memory does not grow with N V.
    """

    def run(hidden: Tensor, token: Tensor) -> Tensor:
        return F.cross_entropy(head(hidden), token, reduction="none")

    words = head(hidden[:0]).shape[1]  # V
    parts = list(pieces(len(token), words))
    if len(parts) == 1:
        return run(hidden, token)
    return torch.cat([checkpoint(run, hidden[p], token[p], use_reentrant=False) for p in parts])


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


def poisson_mean(t: Tensor, schedule: Schedule, mean_drops: float) -> Tensor:
    """mean_drops (1 - alpha) / alpha, (B, 1): the mean of K, the number of drops."""
    alpha = schedule.alpha(t)
    return mean_drops * (1 - alpha) / alpha.clamp(min=torch.finfo(t.dtype).eps)


def slowing(
    x: Examples, dropped: Tensor, t: Tensor, schedule: Schedule, mean_drops: float
) -> Tensor:
    """F (B, 1): P(K >= n) / P(K = n) if all n tokens are dropped, else 1; K ~ Poisson.

    If all are dropped, K may be larger than n, and the first insertion comes later:
    F = sum_j mean^j n! / (n + j)! (DILM, arXiv:2606.10199). At most 1e30: then its inverse counts
    nothing.
    """
    free = x.valid & ~x.fixed
    n = free.sum(1, keepdim=True).double().clamp(min=1)
    mean = poisson_mean(t, schedule, mean_drops).double().clamp(min=1e-30)
    log_f = torch.special.gammainc(n, mean).log() + mean + torch.lgamma(n + 1) - n * mean.log()
    every = (dropped == free).all(1, keepdim=True) & free.any(1, keepdim=True)
    return torch.where(every, log_f.clamp(min=0, max=69).exp().to(t.dtype), 1.0)


def max_insertions(state: GapState) -> int:
    """The largest number of tokens that can be inserted in a row with open gaps."""
    space = (~state.valid).sum(1) * state.open.any(1)
    return int(space.max())


def read_growing(
    model, state: GapState, stop: Stop, rng: Generator
) -> tuple[GapState, Tensor, Tensor, Tensor]:
    """Evaluates the rows with open gaps, and closes those that are complete.

    Returns the state and, for the R unfinished rows, their indices (R,), hidden states (R, L, D)
    and open gaps (R, L), up to the length L of the longest.
    """
    rows = state.open.any(1).nonzero()[:, 0]
    width = int(state.valid[rows].sum(1).max())  # no row is longer
    tokens, valid, _, open = (a[rows, :width] for a in state)
    hidden = model(tokens, valid)
    complete = stop(model.stop_logit(hidden[:, 0]), rng)
    state = state._replace(open=state.open.index_fill(0, rows[complete], False))
    return state, rows[~complete], hidden[~complete], open[~complete]


def gap_mass(head: Callable, hidden: Tensor, open: Tensor, vocab: Vocab) -> Tensor:
    """log sum_v exp logit(gap, v), (B, L); -inf where no gap is open."""
    row, col = open.nonzero(as_tuple=True)
    found = [head(hidden[row[p], col[p]]).logsumexp(-1) for p in pieces(len(row), vocab.size)]
    none = hidden.new_full(open.shape, -torch.inf, dtype=found[0].dtype)
    return none.index_put((row, col), torch.cat(found))


def gap_log_p(head: Callable, hidden: Tensor, target: GapTokens, vocab: Vocab) -> Tensor:
    """log p(gap, token | x_t) of each missing token, (N,).

    One softmax over the open gaps of a row and all tokens. With a large vocabulary the logits are
    computed in pieces, and recomputed for the gradient, to save memory.
    """
    row, col = target.open.nonzero(as_tuple=True)
    gap = (target.open.flatten().cumsum(0) - 1).view_as(target.open)[target.row, target.col]
    parts = list(pieces(len(row), vocab.size))
    found, total = [], []
    for p in parts:
        here = ((gap >= p.start) & (gap < p.stop)).nonzero()[:, 0]
        given = head, hidden[row[p], col[p]], gap[here] - p.start, target.token[here]
        if len(parts) == 1:
            score, mass = scores(*given)
        else:
            score, mass = checkpoint(scores, *given, use_reentrant=False, preserve_rng_state=False)
        found.append((here, score))
        total.append(mass)
    none = hidden.new_full(target.open.shape, -torch.inf, dtype=total[0].dtype)
    normalizer = none.index_put((row, col), torch.cat(total)).logsumexp(1)  # (B,)
    where, score = (torch.cat(parts) for parts in zip(*found, strict=True))
    return torch.empty_like(score).index_put((where,), score) - normalizer[target.row]


def scores(head: Callable, hidden: Tensor, gap: Tensor, token: Tensor) -> tuple[Tensor, Tensor]:
    """For gaps (G, D): logits of N pairs (gap, token), (N,); the logsumexp of each gap, (G,)."""
    picked, mass = PickedAndMass.apply(head(hidden), gap, token)
    return picked, mass


class PickedAndMass(torch.autograd.Function):
    """Some of the logits (G, V), and the logsumexp of each row; one gradient (G, V) for both."""

    @staticmethod
    def forward(ctx, logits: Tensor, row: Tensor, token: Tensor) -> tuple[Tensor, Tensor]:
        mass = logits.logsumexp(-1)
        ctx.save_for_backward(logits, mass, row, token)
        return logits[row, token], mass

    @staticmethod
    def backward(ctx, d_picked: Tensor, d_mass: Tensor):
        logits, mass, row, token = ctx.saved_tensors
        d = (logits - mass[:, None]).exp_().mul_(d_mass[:, None])  # softmax, (G, V)
        return d.index_put_((row, token), d_picked, accumulate=True), None, None
