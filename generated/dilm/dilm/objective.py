"""The training objective of dilm."""

from torch import Generator, Tensor

from .config import Config
from .loss import count_divergence, joint_cross_entropy
from .noise import corrupt, insertion_rate, sample_time
from .target import gap_tokens, poisson_count
from .types import Examples


def objective(model, x: Examples, config: Config, rng: Generator) -> dict[str, Tensor]:
    """Terms of the loss, each (B,), nats per sequence; training minimises the mean of their sum."""
    schedule = config.noise.schedule
    vocab = config.vocab
    t = sample_time(x, rng, edge=config.noise.time.edge)  # (B, 1)
    z = corrupt(x, t, schedule, rng, mean_drops=config.noise.process.mean_drops)
    hidden = model(z.tokens, z.valid, t)  # (B, L, D)
    target = poisson_count(x, z.dropped, z.open, t, schedule, config.noise.process.mean_drops)
    # (B, 1)
    weight = insertion_rate(x, z.dropped, t, schedule, mean_drops=config.noise.process.mean_drops)
    target_2 = gap_tokens(x, z.dropped, z.gap, z.open)
    return {
        "count_divergence": (weight * count_divergence(model, hidden, target)).sum(1),
        "joint_cross_entropy": (weight * joint_cross_entropy(model, hidden, target_2, vocab)).sum(
            1
        ),
    }


def log_likelihood_bound(model, x: Examples, config: Config, rng: Generator) -> Tensor:
    """An unbiased estimate of a lower bound of log p(x), (B,), nats per sequence."""
    terms = objective(model, x, config, rng)
    return -(terms["count_divergence"] + terms["joint_cross_entropy"])
