"""The training objective of did."""

from torch import Generator, Tensor

from .config import Config
from .loss import count_divergence, per_gap_cross_entropy
from .noise import corrupt, insertion_rate, sample_time
from .target import expected_gap_counts, expected_gap_tokens
from .types import Examples


def objective(model, x: Examples, config: Config, rng: Generator) -> dict[str, Tensor]:
    """Terms of the loss, each (B,), nats per sequence; training minimises the mean of their sum."""
    schedule = config.noise.schedule
    t = sample_time(x, rng, edge=config.noise.time.edge)  # (B, 1)
    z = corrupt(x, t, schedule, rng)
    hidden = model(z.tokens, z.valid, t)  # (B, L, D)
    target = expected_gap_counts(x, z.dropped, z.open, z.dropped_p)
    weight = insertion_rate(t, schedule)  # (B, 1)
    target_2 = expected_gap_tokens(x, z.dropped, z.open)
    return {
        "count_divergence": (weight * count_divergence(model, hidden, target)).sum(1),
        "per_gap_cross_entropy": (weight * per_gap_cross_entropy(model, hidden, target_2)).sum(1),
    }


def log_likelihood_bound(model, x: Examples, config: Config, rng: Generator) -> Tensor:
    """An unbiased estimate of a lower bound of log p(x), (B,), nats per sequence."""
    terms = objective(model, x, config, rng)
    return -(terms["count_divergence"] + terms["per_gap_cross_entropy"])
