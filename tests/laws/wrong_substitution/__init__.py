"""Wrong versions of noise that replaces tokens, each with the law that detects it."""

from typing import NamedTuple

UNIFORM = """xlm_spec: 1
name: method
noise: {process: uniform}
target: clean_tokens
loss: interpolating_bound
sampler: uniform_posterior
backbone: rotary_timed
"""
MIXTURE = """xlm_spec: 1
name: method
noise: {process: mixture, schedule: {kind: hybrid, uniform: 0.2}}
target: clean_tokens
loss: interpolating_bound
sampler: mixture_posterior
backbone: dit
"""
SPECS = {"uniform": UNIFORM, "mixture": MIXTURE}

ENTROPY = "the bound equals the entropy at its minimiser"
FORMULA = "every loss term equals its formula"
LIKELIHOOD = "corrupted sequences follow their likelihood"
SUMS = "the probabilities of the corrupted sequences sum to one"
FIXED = "corruption changes no fixed token and no padding"
GENERATOR = "corruption draws with its generator, anew in each call"
CLEAN = "at t = 0 nothing is corrupted"
PRIOR = "samplers start from the noise at t = 1"
STEPS = "with any model every step follows its enumerated distribution"
FOLLOWS = "with the exact model the sampler follows the data distribution"
MINIMISER = "predictions with, or without, the token at their position are better, as declared"


class Wrong(NamedTuple):
    """A change of one file of a package, and the law that detects it."""

    name: str
    spec: str
    file: str
    old: str
    new: str
    law: str


ALL = [
    Wrong(
        "the rate has the size of the vocabulary, not the number of tokens",
        "uniform",
        "noise",
        "-schedule.dalpha(time) * uniform",
        "-schedule.dalpha(time) * (uniform > 0) / vocab.size",
        ENTROPY,
    ),
    Wrong(
        "fixed tokens are corrupted",
        "uniform",
        "noise",
        "(u >= schedule.alpha(t)) & x.valid & ~x.fixed",
        "(u >= schedule.alpha(t)) & x.valid",
        FIXED,
    ),
    Wrong(
        "padding is corrupted",
        "mixture",
        "noise",
        "(u >= schedule.alpha(t)) & x.valid & ~x.fixed",
        "(u >= schedule.alpha(t)) & ~x.fixed",
        FIXED,
    ),
    Wrong(
        "the noise spares a token",
        "uniform",
        "ops",
        "allowed[drawn]",
        "allowed[drawn.clamp(min=1)]",
        LIKELIHOOD,
    ),
    Wrong(
        "random tokens and masks are exchanged",
        "mixture",
        "noise",
        "v < share",
        "v >= share",
        LIKELIHOOD,
    ),
    Wrong(
        "corruption draws with the global generator",
        "uniform",
        "noise",
        "torch.rand(x.tokens.shape, generator=rng, device",
        "torch.rand(x.tokens.shape, device",
        GENERATOR,
    ),
    Wrong(
        "the likelihood is not normalised",
        "uniform",
        "ops",
        "return torch.where(free, alpha * same + mass",
        "return torch.where(free, same + mass",
        SUMS,
    ),
    Wrong(
        "tokens are corrupted at t = 0",
        "mixture",
        "noise",
        "return self.v(t) ** 2 / (1",
        "return 0.9 * self.v(t) ** 2 / (1",
        CLEAN,
    ),
    Wrong(
        "uniform noise, but samplers start from one token",
        "uniform",
        "noise",
        "tokens = torch.where(x.valid & ~x.fixed, random_tokens(x, vocab, rng), x.tokens)\n"
        "    return Replaced",
        "tokens = torch.where(x.valid & ~x.fixed, 0, x.tokens)\n    return Replaced",
        PRIOR,
    ),
    Wrong(
        "masks at t = 1, but samplers start from random tokens",
        "mixture",
        "noise",
        "tokens = torch.where(x.valid & ~x.fixed, noisy, x.tokens)",
        "tokens = torch.where(x.valid & ~x.fixed, 0, x.tokens)",
        PRIOR,
    ),
    Wrong(
        "the sampler is a power off",
        "uniform",
        "ops",
        "arrived * (to_s.keep * predicted",
        "arrived**2 * (to_s.keep * predicted",
        STEPS,
    ),
    Wrong(
        "the sampler exchanges alpha(s) and alpha(t)",
        "uniform",
        "sampler",
        "for keep in (a, alpha_s)",
        "for keep in (alpha_s, a)",
        STEPS,
    ),
    Wrong(
        "the sampler takes the noise at s for the noise from s to t",
        "mixture",
        "sampler",
        "(mass_t - a * mass_s)",
        "mass_s",
        STEPS,
    ),
    Wrong(
        "the sampler does not weigh by x_t",
        "mixture",
        "ops",
        "p = arrived * (to_s.keep",
        "p = (to_s.keep",
        FOLLOWS,
    ),
    Wrong(
        "the bound lacks the constant -1",
        "uniform",
        "ops",
        "ratio.log() - 1)",
        "ratio.log())",
        FORMULA,
    ),
    Wrong(
        "probabilities in the bound are clipped",
        "mixture",
        "ops",
        "p.clamp(min=torch.finfo(p.dtype).tiny)",
        "p.clamp(min=1e-2)",
        ENTROPY,
    ),
    Wrong(
        "the share of random tokens changes in the wrong direction",
        "mixture",
        "ops",
        "noise * mixed, noise * dmixed",
        "noise * mixed, -noise * dmixed",
        ENTROPY,
    ),
    Wrong(
        "the model receives no time",
        "uniform",
        "objective",
        "model(z.tokens, z.valid, t)",
        "model(z.tokens, z.valid, 0 * t)",
        ENTROPY,
    ),
    Wrong(
        "the target is the corrupted token",
        "mixture",
        "objective",
        "clean_tokens(x, z.clean)",
        "clean_tokens(x, z.tokens)",
        FORMULA,
    ),
]
