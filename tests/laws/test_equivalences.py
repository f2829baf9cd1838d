"""The losses of noise that replaces tokens, against each other and against published forms."""

import pytest
import torch
from methods import ROOT
from published_losses import (
    ROWS,
    VOCAB,
    bound,
    d3pm_absorb,
    d3pm_times,
    discrete,
    examples,
    flow,
    generator,
    gidd,
    logits,
    mdlm,
    noised,
    posterior,
    sedd_absorb,
    sedd_uniform,
    times,
    udlm,
)
from torch import Tensor

from benchmarks.equivalences import pairs
from components.count.bernoulli import select_tokens
from components.loss.denoiser_bound import denoiser_bound
from components.loss.score_entropy import score_entropy
from components.ops import mixed_noise, without_now
from components.process import mask, mixture, uniform
from components.sampler import mixture_psi
from components.schedule.hybrid import HybridSchedule
from components.schedule.linear import LinearSchedule
from components.schedule.stationary import StationarySchedule
from components.tokens.temperature import Temperature
from components.types import Mixed


def close(a: Tensor, b: Tensor) -> None:
    assert float((a - b).abs().max() / b.abs().max()) < 1e-9


@pytest.mark.parametrize("power", [1.0, 3.0])
def test_without_random_tokens_it_is_masked_noise_to_the_bit(power):
    schedule = StationarySchedule(0.0, power)
    x, t, z = noised(schedule)
    corrupted = select_tokens(x, t, schedule, generator(3))
    assert torch.equal(z.tokens, mask.corrupt(x, corrupted, VOCAB).tokens)
    assert torch.equal(
        mixture.prior(x, schedule, VOCAB, generator(0)).tokens, mask.prior(x, VOCAB).tokens
    )
    close(bound(schedule), mdlm(schedule))


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
    close(bound(StationarySchedule(1.0)), udlm())


def test_the_hybrid_path_has_the_published_weights_of_gidd():
    close(bound(HybridSchedule(0.2)), gidd(HybridSchedule(0.2)))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_score_entropy_of_a_normalised_prediction_is_the_bound(share):
    schedule = StationarySchedule(share)
    close(bound(schedule, score_entropy, logits().log_softmax(-1)), bound(schedule))
    assert (bound(schedule, score_entropy) - bound(schedule)).abs().max() > 0.1


def test_the_score_entropy_of_masks_is_the_published_one():
    close(bound(StationarySchedule(0.0), score_entropy), sedd_absorb())


def test_the_score_entropy_of_random_tokens_is_the_published_one():
    close(bound(StationarySchedule(1.0), score_entropy), sedd_uniform())


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_denoiser_converts_to_leave_one_out_predictions_and_back(share):
    """The bounds are equal, and that of unconverted predictions is not, unless all is masked."""
    schedule = StationarySchedule(share)
    _, t, z = noised(schedule)
    given = z.tokens[:, 0], schedule.alpha(t), z.mass
    f = logits()[:, 0].log_softmax(-1)
    there = posterior(schedule)[:, 0]
    masked = z.tokens[:, 0] == VOCAB.mask
    at = masked if share == 0 else masked | ~masked  # without random tokens x_t is x_0 elsewhere
    back = without_now(there, *given).log_softmax(-1)
    close(back[at].exp(), f[at].exp())
    close(bound(schedule, denoiser_bound, there[:, None]), bound(schedule, f=f[:, None]))
    if share:
        assert (bound(schedule, f=there[:, None]) - bound(schedule, f=f[:, None])).max() > 0.1


def test_the_flow_from_masks_is_the_bound_and_that_from_random_tokens_is_not():
    """Where x_t is not masked the denoiser of masked noise is x_t (arXiv:2406.07524)."""
    for share, equal in ((0.0, True), (1.0, False)):
        schedule = StationarySchedule(share)
        apart = (flow(schedule, posterior(schedule)) - bound(schedule)).abs().max()
        assert (apart < 1e-9) == equal


def test_discrete_time_with_masks_is_the_cross_entropy_of_each_step():
    t = d3pm_times(20)
    close(discrete(StationarySchedule(0.0), 20, t), d3pm_absorb(t))


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


def test_the_recorded_table_has_these_equivalences():
    """All but the limit of many steps hold to rounding."""
    table = (ROOT / "docs" / "_results" / "equivalences.md").read_text().splitlines()
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in table[7:]]
    assert [r[:2] for r in rows] == [[p.name, p.form] for p in pairs()]
    for pair, (*_, off, wrong, _) in zip(pairs(), rows, strict=True):
        assert float(off) < (1e-4 if "10^6" in pair.name else 1e-12), pair.name
        assert float(wrong) > 0.1, pair.name
        apart = (pair.ours - pair.theirs).abs().max() / pair.theirs.abs().max()
        assert apart < max(2 * float(off), 1e-12)
