"""Losses, weights and rules as the papers write them: row by row, dense, in float64.

Written apart from the package's own, which are held against them.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .method import Method


def weight(m: Method, kind: str, numbers: dict, n: int, k: int, t: float) -> float | None:
    """What the nats of a row with k of n free tokens hidden at t count; None: not known here."""
    if kind in ("", "one"):
        return 1.0
    if m.law_reads_time and m.count != "bernoulli":
        return None
    if kind == "elbo":
        return return_rate(m, n, k, t)
    if kind == "elbo_clipped":
        return min(return_rate(m, n, k, t), float(numbers["largest"]))
    if kind == "levels":
        return level_rate(m, n, k, t)
    return None


def return_rate(m: Method, n: int, k: int, t: float) -> float:
    """-alpha'(t) / (1 - alpha(t)) of independent tokens; else 1 / (k P(k)), over all times."""
    if m.count == "bernoulli":
        at = torch.tensor(t, dtype=torch.float64)
        return float(-m.schedule.dalpha(at) / (1 - m.schedule.alpha(at)))
    chance = m.chance_of_count(n, k)
    return 1 / (k * chance) if k and chance > 0 else 0.0


def level_rate(m: Method, n: int, k: int, t: float) -> float:
    """With which every number k counts once: -(n + 1) alpha'(t) of independent tokens; 1 / P(k)."""
    if m.count == "bernoulli":
        return -(n + 1) * float(m.schedule.dalpha(torch.tensor(t, dtype=torch.float64)))
    chance = m.chance_of_count(n, k)
    return 1 / chance if chance > 0 else 0.0


def nats(m: Method, loss: str, model, x, i: int, hidden_sites: list[int], t: float) -> float | None:
    """One row's loss at t, before its weight; None for a loss that is not known here."""
    valid = x.valid[i].tolist()
    tokens = x.tokens[i]
    if loss == "cross_entropy" and m.hides == "masked":
        seen = tokens.clone()
        seen[hidden_sites] = m.vocab.mask
        log_p = model.token_logits(read(model, seen, x.valid[i], t)).double().log_softmax(-1)
        return -sum(float(log_p[j, tokens[j]]) for j in hidden_sites)
    if loss == "cross_entropy" and m.hides == "behind":
        log_p = model.token_logits(read(model, tokens, x.valid[i], t)).double().log_softmax(-1)
        free = [j for j, v in enumerate(valid) if v and not x.fixed[i, j]]
        return -sum(float(log_p[j - 1, tokens[j]]) for j in free)
    kept = [j for j, v in enumerate(valid) if v and j not in hidden_sites]
    found = read(model, tokens[kept], x.valid[i][kept], t)
    if loss == "stop_cross_entropy":
        logit = model.stop_logit(found[:1])[0].double()
        return -float(F.logsigmoid(logit if not hidden_sites else -logit))
    if loss not in ("gap_cross_entropy", "insertion_bound"):
        return None
    if not hidden_sites:
        return 0.0
    gaps = [a for a in range(len(kept)) if is_open(x, i, kept, a)]
    scores = model.gap_token_logits(found).double()[gaps].flatten().log_softmax(0)
    table = scores.view(len(gaps), -1)
    total = 0.0
    for j in hidden_sites:
        behind = sum(site < j for site in kept) - 1
        total -= float(table[gaps.index(behind), tokens[j]])
    n = len(hidden_sites)
    order = float(torch.tensor(n, dtype=torch.float64).log()) if loss == "insertion_bound" else 0.0
    return total / n - order


def is_open(x, i: int, kept: list[int], a: int) -> bool:
    """May something be missing behind the a-th token that is left?

    Not between two given tokens that stood side by side.
    """
    here = kept[a]
    after = here + 1
    if after < x.valid.shape[1] and bool(x.valid[i, after]):
        return not (bool(x.fixed[i, here]) and bool(x.fixed[i, after]))
    return True


def read(model, tokens: Tensor, valid: Tensor, t: float) -> Tensor:
    """Hidden states (L, D) of one row."""
    time = torch.full((1, 1), t, dtype=torch.float64)
    return model(tokens[None], valid[None], time)[0]


def token_law(kind: str, rule) -> Callable[[Tensor], Tensor] | None:
    """What a rule makes of a network's p (..., V): the law of the token; None: not known here."""

    def law(p: Tensor) -> Tensor:
        p = (p.log() / rule.temperature).softmax(-1)
        falling, place = p.sort(-1, descending=True)
        if kind == "top_k":
            kept = torch.arange(p.shape[-1]).expand_as(p) < rule.k
        elif kind == "top_p":
            kept = falling.cumsum(-1) - falling < rule.p
        elif kind == "min_p":
            kept = falling >= rule.share * falling[..., :1]
        else:
            kept = torch.ones_like(p, dtype=torch.bool)
        cut = torch.zeros_like(p).scatter(-1, place, falling * kept)
        return cut / cut.sum(-1, keepdim=True)

    return law if kind in ("temperature", "top_k", "top_p", "min_p") else None


def site_score(kind: str) -> Callable[[Tensor], Tensor] | None:
    """How certain p (..., V) is, by a rule that ranks sites; None: not known here, or not asked."""

    def best(p: Tensor) -> Tensor:
        return p.topk(2, -1)[0]

    known: dict[str, Callable[[Tensor], Tensor]] = {
        "confidence": lambda p: best(p)[..., 0],
        "margin": lambda p: best(p)[..., 0] - best(p)[..., 1],
        "entropy": lambda p: torch.xlogy(p, p).sum(-1),
    }
    return known.get(kind)
