"""Losses of noise that replaces tokens, and the forms in which papers state them.

One position per sequence and any logits, so that figures hold for every network. float64.
"""

from types import SimpleNamespace

import torch
from torch import Tensor

from components.count.bernoulli import select_tokens
from components.loss.cross_entropy import cross_entropy
from components.loss.flow_divergence import flow_divergence
from components.loss.interpolating_bound import interpolating_bound
from components.loss.posterior_kl import posterior_kl
from components.ops import denoised
from components.process import mask, mixture
from components.schedule.hybrid import HybridSchedule
from components.schedule.stationary import StationarySchedule
from components.target.clean_tokens import clean_tokens
from components.target.masked_tokens import masked_tokens
from components.types import Examples, Vocab

VOCAB = Vocab(size=9, pad=8, bos=7, eos=6, mask=5)
K, ROWS = 6, 4000  # tokens that sequences contain
HEAD = SimpleNamespace(token_logits=lambda hidden: hidden)  # hidden states are the logits


def examples() -> Examples:
    tokens = torch.randint(K, (ROWS, 1), generator=generator(0))
    tokens[tokens == 5] = VOCAB.eos
    free = torch.ones_like(tokens) > 0
    return Examples(tokens, free, ~free)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def times() -> Tensor:
    return 0.01 + 0.98 * torch.rand(ROWS, 1, generator=generator(1), dtype=torch.float64)


def logits() -> Tensor:
    """(ROWS, 1, V), not normalised; special tokens have none."""
    f = 2 * torch.randn(ROWS, 1, VOCAB.size, generator=generator(2), dtype=torch.float64)
    f[..., list(VOCAB.special)] = -torch.inf
    return f


def noised(schedule):
    x, t = examples(), times()
    return x, t, mixture.corrupt(x, t, schedule, VOCAB, generator(3))


def bound(schedule, loss=interpolating_bound, f: Tensor | None = None) -> Tensor:
    """The nats of each row, (ROWS,)."""
    x, t, z = noised(schedule)
    target = clean_tokens(x, z.clean)
    f = logits() if f is None else f
    return loss(HEAD, f, target, z.tokens, z.mass, z.dmass, t, schedule)[:, 0]


def discrete(schedule, steps: int, t: Tensor | None = None) -> Tensor:
    x, given, z = noised(schedule)
    t = given if t is None else t
    z = mixture.corrupt(x, t, schedule, VOCAB, generator(3))
    target = clean_tokens(x, z.clean)
    return posterior_kl(HEAD, logits(), target, z.tokens, z.mass, t, schedule, VOCAB, steps)[:, 0]


def log_p(f: Tensor, tokens: Tensor) -> Tensor:
    """log p of a token, (ROWS,)."""
    return f.log_softmax(-1)[:, 0].gather(1, tokens)[:, 0]


def flow(schedule, f: Tensor) -> Tensor:
    """The loss of the flow of a denoiser, (ROWS,)."""
    x, t, z = noised(schedule)
    return flow_divergence(HEAD, f, clean_tokens(x, z.clean), z.tokens, t, schedule)[:, 0]


def mdlm(schedule) -> Tensor:
    """-alpha' / (1 - alpha) times the cross-entropy of the masks (MDLM, arXiv:2406.07524)."""
    x, t, _ = noised(schedule)
    corrupted = select_tokens(x, t, schedule, generator(3))
    masked = mask.corrupt(x, corrupted, VOCAB)
    target = masked_tokens(masked.clean, masked.masked)
    weight = -schedule.dalpha(t) / (1 - schedule.alpha(t))
    return (weight * cross_entropy(HEAD, logits(), target))[:, 0]


def udlm() -> Tensor:
    """Random tokens, in terms of N alpha x + 1 - alpha with N tokens (UDLM, arXiv:2412.10193)."""
    x, t, z = noised(StationarySchedule(1.0))
    alpha = (1 - t)[:, 0]
    words = [v for v in range(VOCAB.size) if v not in VOCAB.special]
    bar = K * alpha[:, None] * logits()[:, 0].softmax(-1) + (1 - alpha)[:, None]
    at_z, at_x = (bar.gather(1, a)[:, 0] for a in (z.tokens, x.tokens))
    same = (z.tokens == x.tokens)[:, 0]
    s = bar[:, words].log().sum(1) - K * at_z.log()
    k = (1 - alpha) / (K * alpha + 1 - alpha)
    equal = (K - 1) * k * k.log() - k * s
    other = -(1 / k) * k.log() - s - (1 / k - 1) * (at_x.log() - at_z.log())
    known = 1 - alpha + K * alpha * same
    return (K / at_z - K / known + torch.where(same, equal, other)) / (K * alpha)


def gidd(schedule: HybridSchedule) -> Tensor:
    """rho / q at a mask, at a wrong token and at the right one (GIDD, arXiv:2503.04482)."""
    x, t, z = noised(schedule)
    s = torch.sin(torch.pi / 2 * t[:, 0]) ** 2  # the time of GIDD
    root = (s * (1 - s)) ** 0.5
    c, slope = schedule.k * root, schedule.k / 2 * (1 - 2 * s) / root
    rises = c + (1 - s) * slope
    right = (z.tokens == x.tokens)[:, 0]
    weight = rises / ((1 - s) * c)
    weight = torch.where(right, rises / (K * (1 - s) * (1 - s + c / K)), weight)
    weight = torch.where(z.tokens[:, 0] == VOCAB.mask, 1 / (s * (1 - s)), weight)
    alpha = schedule.alpha(t)
    q = z.mass.scatter_add(1, x.tokens, alpha)
    p = alpha * logits()[:, 0].softmax(-1) + z.mass
    kl = (torch.xlogy(q, q) - torch.xlogy(q, p.clamp(min=1e-300))).sum(1)
    ratio = (q.gather(1, z.tokens) / p.gather(1, z.tokens))[:, 0]
    clock = torch.pi / 2 * torch.sin(torch.pi * t[:, 0])  # ds / dt
    return clock * weight * (kl + ratio - ratio.log() - 1)


def sedd_absorb() -> Tensor:
    """sum_y s_y - a log s_x + a (log a - 1) at masks, a = 1 / (e^sigma - 1) (arXiv:2310.16834)."""
    x, t, z = noised(StationarySchedule(0.0))
    sigma = -torch.log1p(-t[:, 0])
    a, dsigma = 1 / torch.expm1(sigma), 1 / (1 - t[:, 0])
    score = a[:, None] * logits()[:, 0].exp()
    at_x = score.gather(1, x.tokens)[:, 0]
    nats = dsigma * (score.sum(1) - a * at_x.log() + a * (a.log() - 1))
    return nats * (z.tokens[:, 0] == VOCAB.mask)


def sedd_uniform() -> Tensor:
    """SEDD with a uniform Q: its terms, with N tokens and r = q(z) / q of the token x_0."""
    x, t, z = noised(StationarySchedule(1.0))
    alpha = (1 - t)[:, 0]
    words = [v for v in range(VOCAB.size) if v not in VOCAB.special]
    p = alpha[:, None] * logits()[:, 0].exp() + ((1 - alpha) / K)[:, None]
    score = p / p.gather(1, z.tokens)
    growth = 1 / alpha - 1  # e^sigma - 1
    r = 1 - K / (growth + K)
    same = (z.tokens == x.tokens)[:, 0]
    logs = score[:, words].log().sum(1)  # that of z is 0
    at_x = score.gather(1, x.tokens)[:, 0].log()
    negative = torch.where(same, r * logs / K, at_x / growth + logs / K)
    right = (K - 1) / K * r * (r.log() - 1)
    wrong = ((-r.log() - 1) / r - (K - 2)) / K
    positive = (score[:, words].sum(1) - 1) / K
    return (positive - negative + torch.where(same, right, wrong)) / alpha


def d3pm_times(steps: int) -> Tensor:
    return torch.randint(1, steps + 1, (ROWS, 1), generator=generator(1)) / steps


def d3pm_absorb(t: Tensor) -> Tensor:
    """T (dt / t) CE at masks, dt = 1 / T: D3PM of a prediction without masks."""
    z = mixture.corrupt(examples(), t, StationarySchedule(0.0), VOCAB, generator(3))
    nats = -log_p(logits(), examples().tokens) / t[:, 0].double()
    return nats * (z.tokens[:, 0] == VOCAB.mask)


def posterior(schedule) -> Tensor:
    """The logits of p(x_0 | x_t) that belong to the predictions without x_t, (ROWS, 1, V)."""
    _, t, z = noised(schedule)
    f = logits()[:, 0].log_softmax(-1)
    return denoised(f, z.tokens[:, 0], schedule.alpha(t), z.mass).log_softmax(-1)[:, None]
