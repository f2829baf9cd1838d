"""The training objective of flexmdm."""

from torch import Generator, Tensor

from .config import Config
from .loss import count_divergence, cross_entropy
from .noise import corrupt, insertion_rate, sample_time, unmasking_rate
from .target import gap_counts, masked_tokens
from .types import Examples


def objective(model, x: Examples, config: Config, rng: Generator) -> dict[str, Tensor]:
    """Terms of the loss, each (B,), nats per sequence; training minimises the mean of their sum."""
    schedule = config.noise.schedule
    drop_schedule = config.noise.drop_schedule
    vocab = config.vocab
    t = sample_time(x, rng, edge=config.noise.time.edge)  # (B, 1)
    z = corrupt(x, t, schedule, drop_schedule, vocab, rng)
    hidden = model(z.tokens, z.valid, t)  # (B, L, D)
    target = masked_tokens(z.clean, z.masked)
    weight = unmasking_rate(t, schedule)  # (B, 1)
    target_2 = gap_counts(z.dropped, z.gap, z.open, z.dropped_p)
    weight_2 = insertion_rate(t, drop_schedule)  # (B, 1)
    return {
        "cross_entropy": (weight * cross_entropy(model, hidden, target)).sum(1),
        "count_divergence": (weight_2 * count_divergence(model, hidden, target_2)).sum(1),
    }


def log_likelihood_bound(model, x: Examples, config: Config, rng: Generator) -> Tensor:
    """An unbiased estimate of a lower bound of log p(x), (B,), nats per sequence."""
    terms = objective(model, x, config, rng)
    return -(terms["cross_entropy"] + terms["count_divergence"])
