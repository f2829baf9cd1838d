"""The training objective of mdlm."""

from torch import Generator, Tensor

from .config import Config
from .loss import cross_entropy
from .noise import corrupt, elbo_weight, sample_time, select_tokens
from .target import masked_tokens
from .types import Examples


def objective(model, x: Examples, config: Config, rng: Generator) -> dict[str, Tensor]:
    """Terms of the loss, each (B,), nats per sequence; training minimises the mean of their sum."""
    schedule = config.noise.schedule
    vocab = config.vocab
    t = sample_time(x, rng, edge=config.noise.time.edge)  # (B, 1)
    corrupted = select_tokens(x, t, schedule, rng)  # (B, L)
    z = corrupt(x, corrupted, vocab)
    hidden = model(z.tokens, z.valid, read=z.read)  # (B, L, D)
    target = masked_tokens(z.clean, z.masked)
    weight = elbo_weight(t, schedule)  # (B, 1)
    return {"cross_entropy": (weight * cross_entropy(model, hidden, target)).sum(1)}


def log_likelihood_bound(model, x: Examples, config: Config, rng: Generator) -> Tensor:
    """An unbiased estimate of a lower bound of log p(x), (B,), nats per sequence."""
    return -objective(model, x, config, rng)["cross_entropy"]
