"""The training objective of arlm."""

from torch import Generator, Tensor

from .config import Config
from .loss import cross_entropy
from .noise import corrupt
from .target import next_token
from .types import Examples


def objective(model, x: Examples, config: Config, rng: Generator) -> dict[str, Tensor]:
    """Terms of the loss, each (B,), nats per sequence; training minimises the mean of their sum."""
    z = corrupt(x)
    hidden = model(z.tokens, z.valid, read=z.read)  # (B, L, D)
    target = next_token(x)
    return {"cross_entropy": cross_entropy(model, hidden, target).sum(1)}


def log_likelihood_bound(model, x: Examples, config: Config, rng: Generator) -> Tensor:
    """The exact log p(x), (B,), nats per sequence."""
    return -objective(model, x, config, rng)["cross_entropy"]
