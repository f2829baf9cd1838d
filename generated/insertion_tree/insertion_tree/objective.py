"""The training objective of insertion_tree."""

from torch import Generator, Tensor

from .config import Config
from .loss import share_cross_entropy
from .noise import corrupt, select_tokens
from .target import gap_shares
from .types import Examples


def objective(model, x: Examples, config: Config, rng: Generator) -> dict[str, Tensor]:
    """Terms of the loss, each (B,), nats per sequence; training minimises the mean of their sum."""
    corrupted = select_tokens(x, rng, min_corrupted=config.noise.count.min_corrupted)  # (B, L)
    z = corrupt(x, corrupted)
    hidden = model(z.tokens, z.valid, read=z.read)  # (B, L, D)
    target = gap_shares(
        x,
        z.dropped,
        z.gap,
        z.open,
        balanced=config.target.gap_shares.balanced,
        tau=config.target.gap_shares.tau,
    )
    return {"share_cross_entropy": share_cross_entropy(model, hidden, target).sum(1)}
