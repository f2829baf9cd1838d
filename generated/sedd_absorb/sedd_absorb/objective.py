"""The training objective of sedd_absorb."""

from torch import Generator, Tensor

from .config import Config
from .loss import score_entropy
from .noise import corrupt, sample_time
from .target import clean_tokens
from .types import Examples


def objective(model, x: Examples, config: Config, rng: Generator) -> dict[str, Tensor]:
    """Terms of the loss, each (B,), nats per sequence; training minimises the mean of their sum."""
    schedule = config.noise.schedule
    vocab = config.vocab
    t = sample_time(x, rng, edge=config.noise.time.edge)  # (B, 1)
    z = corrupt(x, t, schedule, vocab, rng)
    hidden = model(z.tokens, z.valid, t)  # (B, L, D)
    target = clean_tokens(x, z.clean)
    return {
        "score_entropy": score_entropy(
            model, hidden, target, z.tokens, z.mass, z.dmass, t, schedule
        ).sum(1),
    }


def log_likelihood_bound(model, x: Examples, config: Config, rng: Generator) -> Tensor:
    """An unbiased estimate of a lower bound of log p(x), (B,), nats per sequence."""
    return -objective(model, x, config, rng)["score_entropy"]
