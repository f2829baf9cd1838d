"""The losses of noise that replaces tokens, against each other and against published forms.

One position per sequence and any logits, so that the figures hold for every network. float64.
"""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from components.count.bernoulli import select_tokens
from components.loss.cross_entropy import cross_entropy
from components.loss.denoiser_bound import denoiser_bound
from components.loss.flow_divergence import flow_divergence
from components.loss.interpolating_bound import interpolating_bound
from components.loss.posterior_kl import posterior_kl
from components.loss.score_entropy import score_entropy
from components.ops import denoised, mixed_noise, without_now
from components.process import mask, mixture, uniform
from components.sampler import mixture_psi
from components.schedule.hybrid import HybridSchedule
from components.schedule.linear import LinearSchedule
from components.schedule.stationary import StationarySchedule
from components.target.clean_tokens import clean_tokens
from components.target.masked_tokens import masked_tokens
from components.tokens.temperature import Temperature
from components.types import Examples, Mixed, Vocab

VOCAB = Vocab(size=9, pad=8, bos=7, eos=6, mask=5)
K, ROWS = 6, 4000  # tokens that sequences contain
HEAD = SimpleNamespace(token_logits=lambda hidden: hidden)  # hidden states are the logits


def close(a: Tensor, b: Tensor) -> None:
    assert float((a - b).abs().max() / b.abs().max()) < 1e-9


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


@pytest.mark.parametrize("power", [1.0, 3.0])
def test_without_random_tokens_it_is_masked_noise_to_the_bit(power):
    schedule = StationarySchedule(0.0, power)
    x, t, z = noised(schedule)
    corrupted = select_tokens(x, t, schedule, generator(3))
    masked = mask.corrupt(x, corrupted, VOCAB)
    assert torch.equal(z.tokens, masked.tokens)
    assert torch.equal(
        mixture.prior(x, schedule, VOCAB, generator(0)).tokens, mask.prior(x, VOCAB).tokens
    )
    weight = -schedule.dalpha(t) / (1 - schedule.alpha(t))
    target = masked_tokens(masked.clean, masked.masked)
    close(bound(schedule), (weight * cross_entropy(HEAD, logits(), target))[:, 0])


def test_without_masks_it_is_uniform_noise():
    x, t = examples(), times()
    z = uniform.corrupt(x, t, LinearSchedule(), VOCAB, generator(0))
    for mine, theirs in zip(
        mixed_noise(t, StationarySchedule(1.0), VOCAB), (z.mass, z.dmass), strict=True
    ):
        close(mine, theirs)
    z = mixture.corrupt(x, t, StationarySchedule(1.0), VOCAB, generator(0))
    assert not (z.tokens == VOCAB.mask).any()


def test_uniform_noise_is_the_published_bound_of_udlm():
    """arXiv:2412.10193, in terms of N alpha x + 1 - alpha, N tokens."""
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
    nats = (K / at_z - K / known + torch.where(same, equal, other)) / (K * alpha)
    close(bound(StationarySchedule(1.0)), nats)


def test_the_hybrid_path_has_the_published_weights_of_gidd():
    """arXiv:2503.04482: rho / q at a mask, at a wrong token and at the right one."""
    schedule = HybridSchedule(0.2)
    x, t, z = noised(schedule)
    s = torch.sin(torch.pi / 2 * t[:, 0]) ** 2  # the time of GIDD
    c, slope = 0.5 * (s * (1 - s)) ** 0.5, 0.25 * (1 - 2 * s) / (s * (1 - s)) ** 0.5
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
    close(bound(schedule), clock * weight * (kl + ratio - ratio.log() - 1))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_score_entropy_of_a_normalised_prediction_is_the_bound(share):
    schedule = StationarySchedule(share)
    close(bound(schedule, score_entropy, logits().log_softmax(-1)), bound(schedule))
    assert (bound(schedule, score_entropy) - bound(schedule)).abs().max() > 0.1


def test_the_score_entropy_of_masks_is_the_published_one():
    """SEDD (arXiv:2310.16834): sum_y s_y - a log s_x + a (log a - 1), a = 1 / (e^sigma - 1)."""
    schedule = StationarySchedule(0.0)
    x, t, z = noised(schedule)
    sigma = -torch.log1p(-t[:, 0])
    a, dsigma = 1 / torch.expm1(sigma), 1 / (1 - t[:, 0])
    score = a[:, None] * logits()[:, 0].exp()
    at_x = score.gather(1, x.tokens)[:, 0]
    nats = dsigma * (score.sum(1) - a * at_x.log() + a * (a.log() - 1))
    close(bound(schedule, score_entropy), nats * (z.tokens[:, 0] == VOCAB.mask))


def test_the_score_entropy_of_random_tokens_is_the_published_one():
    """SEDD with a uniform Q: its terms, with N tokens and r = q(z) / q of the token x_0."""
    schedule = StationarySchedule(1.0)
    x, t, z = noised(schedule)
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
    nats = (positive - negative + torch.where(same, right, wrong)) / alpha
    close(bound(schedule, score_entropy), nats)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_denoiser_converts_to_leave_one_out_predictions_and_back(share):
    """The bounds are equal, and that of unconverted predictions is not, unless all is masked."""
    schedule = StationarySchedule(share)
    _, t, z = noised(schedule)
    given = z.tokens[:, 0], schedule.alpha(t), z.mass
    f = logits()[:, 0].log_softmax(-1)
    there = denoised(f, *given).log_softmax(-1)
    masked = z.tokens[:, 0] == VOCAB.mask
    at = masked if share == 0 else masked | ~masked  # without random tokens x_t is x_0 elsewhere
    back = without_now(there, *given).log_softmax(-1)
    close(back[at].exp(), f[at].exp())
    close(bound(schedule, denoiser_bound, there[:, None]), bound(schedule, f=f[:, None]))
    if share:
        assert (bound(schedule, f=there[:, None]) - bound(schedule, f=f[:, None])).max() > 0.1


def flow(schedule, f: Tensor) -> Tensor:
    """The loss of the flow of a denoiser, (ROWS,)."""
    x, t, z = noised(schedule)
    return flow_divergence(HEAD, f, clean_tokens(x, z.clean), z.tokens, t, schedule)[:, 0]


def test_the_flow_from_masks_is_the_bound_and_that_from_random_tokens_is_not():
    """Where x_t is not masked the denoiser of masked noise is x_t (arXiv:2406.07524)."""
    for share, equal in ((0.0, True), (1.0, False)):
        schedule = StationarySchedule(share)
        _, t, z = noised(schedule)
        f = logits()[:, 0].log_softmax(-1)
        posterior = denoised(f, z.tokens[:, 0], schedule.alpha(t), z.mass)[:, None]
        apart = (flow(schedule, posterior) - bound(schedule, f=f[:, None])).abs().max()
        assert (apart < 1e-9) == equal


def test_discrete_time_with_masks_is_the_cross_entropy_of_each_step():
    """D3PM, absorbing, of a prediction without masks: T (dt / t) CE at masks, dt = 1 / T."""
    schedule = StationarySchedule(0.0)
    t = torch.randint(1, 21, (ROWS, 1), generator=generator(1)) / 20.0
    z = mixture.corrupt(examples(), t, schedule, VOCAB, generator(3))
    nats = -log_p(logits(), examples().tokens) / t[:, 0].double()
    close(discrete(schedule, 20, t), nats * (z.tokens[:, 0] == VOCAB.mask))


def test_the_first_step_is_the_reconstruction():
    """At s = 0: -T log p(x_0 | x_t), by Bayes' rule from a prediction without x_t."""
    schedule, steps = StationarySchedule(0.3), 8
    t = torch.full((ROWS, 1), 1 / steps, dtype=torch.float64)
    x, z = examples(), mixture.corrupt(examples(), t, schedule, VOCAB, generator(3))
    likelihood = z.mass.gather(1, z.tokens).expand_as(z.mass).scatter_add(1, z.tokens, 1 - t)
    p = likelihood * logits()[:, 0].softmax(-1)
    close(
        discrete(schedule, steps, t),
        -steps * (p / p.sum(1, keepdim=True)).gather(1, x.tokens)[:, 0].log(),
    )


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_many_steps_are_continuous_time(share):
    """With masks alone any number of steps is, if alpha is linear."""
    schedule = StationarySchedule(share)
    few, many = ((discrete(schedule, n) - bound(schedule)).abs().mean() for n in (10**3, 10**5))
    assert many < 1e-3 * bound(schedule).mean()
    assert few > 10 * many


@pytest.mark.parametrize(
    "schedule",
    [StationarySchedule(0.3), StationarySchedule(0.0, 3.0), HybridSchedule(0.2)],
    ids=str,
)
def test_the_kernel_composes(schedule):
    """From u to s to t is from u to t, and each has no negative probability."""

    def kernel(s: float, t: float) -> Tensor:
        """P(x_t = z | x_s = y), [y, z]."""
        at = torch.tensor([[s], [t]], dtype=torch.float64)
        alpha, mass = schedule.alpha(at), mixed_noise(at, schedule, VOCAB)[0]
        keep = alpha[1] / alpha[0]
        return keep * torch.eye(VOCAB.size) + mass[1] - keep * mass[0]

    for u, s, t in ((0.0, 0.2, 0.5), (0.1, 0.5, 0.9), (0.3, 0.4, 1.0)):
        assert kernel(s, t).min() >= -1e-12
        assert torch.allclose(kernel(u, s) @ kernel(s, t), kernel(u, t), atol=1e-12)


class Anything:
    """A model that predicts every token with the same probability."""

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor) -> Tensor:
        f = torch.zeros(*tokens.shape, VOCAB.size)
        f[..., list(VOCAB.special)] = -torch.inf
        return f

    def token_logits(self, hidden: Tensor) -> Tensor:
        return hidden


def test_psi_sampling_of_masks_remasks_as_remdm_does():
    """sigma = (1 - k) (1 - alpha(s)): the shares of masks after a step; 5 standard errors."""
    share, n, alpha_t, alpha_s = 0.7, 40_000, 0.4, 0.6
    sigma = (1 - share) * (1 - alpha_s)
    masked = 1 - (alpha_s - (1 - sigma) * alpha_t) / (1 - alpha_t)  # ReMDM's q(x_s | x_t, x_0)
    tokens = torch.tensor([[VOCAB.mask], [1]]).repeat(n, 1)
    free = torch.zeros(tokens.shape, dtype=torch.bool)
    t, s = (torch.full((len(tokens), 1), 1 - alpha) for alpha in (alpha_t, alpha_s))
    state = mixture_psi.step(
        Anything(),
        Mixed(tokens, ~free, free),
        *(t, s, StationarySchedule(0.0), VOCAB, Temperature(), generator(0)),
        share=share,
    )
    found = (state.tokens == VOCAB.mask).double().view(n, 2).mean(0)
    for of, expected in zip(found.tolist(), (masked, sigma), strict=True):
        assert abs(of - expected) < 5 * (expected * (1 - expected) / n) ** 0.5
