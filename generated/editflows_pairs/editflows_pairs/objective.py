"""The training objective of editflows_pairs."""

from torch import Generator, Tensor

from .config import Config
from .loss import (
    count_divergence,
    cross_entropy,
    delete_divergence,
    per_gap_cross_entropy,
    substitute_divergence,
)
from .noise import corrupt, edit_rate, sample_time
from .target import deletions, gap_counts, gap_tokens, substitutes, substitutions
from .types import Examples


def objective(model, x: Examples, config: Config, rng: Generator) -> dict[str, Tensor]:
    """Terms of the loss, each (B,), nats per sequence; training minimises the mean of their sum."""
    schedule = config.noise.schedule
    vocab = config.vocab
    t = sample_time(x, rng, edge=config.noise.time.edge)  # (B, 1)
    z = corrupt(x, t, schedule, vocab, rng)
    hidden = model(z.tokens, z.valid, t)  # (B, L, D)
    target = gap_counts(z.dropped, z.gap, z.open, z.dropped_p)
    weight = edit_rate(t, schedule)  # (B, 1)
    target_2 = gap_tokens(x, z.dropped, z.gap, z.open)
    target_3 = deletions(z.free, z.wrong, z.dropped_p)
    target_4 = substitutions(z.free, z.other, z.dropped_p)
    target_5 = substitutes(z.other, z.substitute)
    return {
        "count_divergence": (weight * count_divergence(model, hidden, target)).sum(1),
        "per_gap_cross_entropy": (weight * per_gap_cross_entropy(model, hidden, target_2)).sum(1),
        "delete_divergence": (weight * delete_divergence(model, hidden, target_3)).sum(1),
        "substitute_divergence": (weight * substitute_divergence(model, hidden, target_4)).sum(1),
        "cross_entropy": (weight * cross_entropy(model, hidden, target_5)).sum(1),
    }


def log_likelihood_bound(model, x: Examples, config: Config, rng: Generator) -> Tensor:
    """An unbiased estimate of a lower bound of log p(x), (B,), nats per sequence."""
    terms = objective(model, x, config, rng)
    return -(
        terms["count_divergence"]
        + terms["per_gap_cross_entropy"]
        + terms["delete_divergence"]
        + terms["substitute_divergence"]
        + terms["cross_entropy"]
    )
