"""What a bound says of a text with any network: the mean over every way to write it, in float64.

Dense and slow, and written apart from the package's losses, which are held against it.
"""

from itertools import permutations
from math import lgamma, log

import torch
import torch.nn.functional as F
from torch import Tensor

from .world import BOS, LONGEST, MASK, PAD, World


def orders(model, w: World) -> Tensor:
    """log p(x | order), (orders, K), of a network of masked texts: one site after the other."""
    x, _ = w.rows()
    out = []
    for order in permutations(range(1, x.shape[1])):
        seen = x.clone()
        seen[:, 1:] = MASK
        total = torch.zeros(len(x), dtype=torch.float64)
        for site in order:
            log_p = site_logits(model, seen, site).log_softmax(-1)
            total += log_p.gather(1, x[:, site, None])[:, 0]
            seen[:, site] = x[:, site]
        out.append(total)
    return torch.stack(out)


def site_logits(model, tokens: Tensor, site: int) -> Tensor:
    """(B, V), float64."""
    valid, t = torch.ones_like(tokens, dtype=torch.bool), torch.full((len(tokens), 1), 0.5)
    hidden = model(tokens, valid, t)
    return model.token_logits(hidden[:, site]).double()


def forwards(model, w: World) -> Tensor:
    """log p(x), (K,), of a network that reads from left to right; the end of the text included."""
    x, valid = w.rows()
    hidden = model(x, valid)
    log_p = model.token_logits(hidden[:, :-1]).double().log_softmax(-1)
    nats = log_p.gather(2, x[:, 1:, None])[..., 0]
    return nats.masked_fill(~valid[:, 1:], 0.0).sum(1)


def insertions(model, w: World) -> list[Tensor]:
    """log n! p(x, order) of each order in which the n tokens of a text may come; a text each."""
    steps = [[ways(x, order) for order in permutations(range(len(x)))] for x in w.texts]
    needed = sorted({kept for way in steps for path in way for kept, _, _ in path} | {*w.texts})
    gap, stop = read(model, needed)
    out = []
    for x, way in zip(w.texts, steps, strict=True):
        ends = float(F.logsigmoid(stop[x]))
        totals = [
            lgamma(len(x) + 1)
            + ends
            + sum(float(F.logsigmoid(-stop[k]) + gap[k][place, token]) for k, place, token in path)
            for path in way
        ]
        out.append(torch.tensor(totals, dtype=torch.float64))
    return out


def ways(x, order) -> list[tuple]:
    """(what stands, the gap that grows, the token) of each step, tokens coming in this order."""
    path, there = [], []
    for i in order:
        kept = tuple(x[j] for j in sorted(there))
        path.append((kept, sum(j < i for j in there), x[i]))
        there.append(i)
    return path


def read(model, texts) -> tuple[dict, dict]:
    """Of each partial text: log p(gap, token) over its gaps, and the log-odds of being whole."""
    lines = [[BOS, *x, *[PAD] * (LONGEST - len(x))] for x in texts]
    tokens = torch.tensor(lines)
    hidden = model(tokens, tokens != PAD)
    logits = model.gap_token_logits(hidden).double()
    stop = model.stop_logit(hidden[:, 0]).double()
    gap = {}
    for x, found in zip(texts, logits, strict=True):
        mine = found[: 1 + len(x)]
        gap[x] = mine.flatten().log_softmax(0).view_as(mine)
    return gap, dict(zip(texts, stop, strict=True))


def mean_log(model, w: World, hides: str) -> Tensor:
    """The bound that a network gives of log p(x), (K,): its mean over orders."""
    return torch.stack([found.mean() for found in each_order(model, w, hides)])


def log_mean(model, w: World, hides: str) -> Tensor:
    """log p(x) of a network itself, (K,): every order is as likely as any other."""
    found = each_order(model, w, hides)
    return torch.stack([of.logsumexp(0) - log(len(of)) for of in found])


def each_order(model, w: World, hides: str) -> list[Tensor]:
    """Of each text, log p in every order in which it may be written."""
    if hides == "behind":
        return [*forwards(model, w)[:, None]]
    if hides == "masked":
        return [*orders(model, w).T]
    return insertions(model, w)
