"""The training objective of ilm_per_count."""

from torch import Generator, Tensor

from .config import Config
from .loss import gap_cross_entropy, insertion_bound, stop_cross_entropy
from .noise import corrupt, count_weight, select_tokens
from .target import gap_tokens, stop
from .types import Examples


def objective(model, x: Examples, config: Config, rng: Generator) -> dict[str, Tensor]:
    """Terms of the loss, each (B,), nats per sequence; training minimises the mean of their sum."""
    vocab = config.vocab
    corrupted = select_tokens(x, rng, min_corrupted=config.noise.count.min_corrupted)  # (B, L)
    z = corrupt(x, corrupted)
    hidden = model(z.tokens, z.valid, read=z.read)  # (B, L, D)
    target = gap_tokens(x, z.dropped, z.gap, z.open)
    weight = count_weight(x, min_corrupted=config.noise.count.min_corrupted)  # (B, 1)
    target_2 = stop(z.dropped)
    return {
        "gap_cross_entropy": (weight * gap_cross_entropy(model, hidden, target, vocab)).sum(1),
        "stop_cross_entropy": (weight * stop_cross_entropy(model, hidden, target_2)).sum(1),
    }


def log_likelihood_bound(model, x: Examples, config: Config, rng: Generator) -> Tensor:
    """An unbiased estimate of a lower bound of log p(x), (B,), nats per sequence."""
    vocab = config.vocab
    corrupted = select_tokens(x, rng, min_corrupted=config.noise.count.min_corrupted)  # (B, L)
    z = corrupt(x, corrupted)
    hidden = model(z.tokens, z.valid, read=z.read)  # (B, L, D)
    target = gap_tokens(x, z.dropped, z.gap, z.open)
    weight = count_weight(x, min_corrupted=config.noise.count.min_corrupted)  # (B, 1)
    target_2 = stop(z.dropped)
    nats = (weight * insertion_bound(model, hidden, target, vocab)).sum(1)
    nats += (weight * stop_cross_entropy(model, hidden, target_2)).sum(1)
    return -nats
