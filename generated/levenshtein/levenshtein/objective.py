"""The training objective of levenshtein."""

from torch import Generator, Tensor

from .config import Config
from .loss import cross_entropy, delete_cross_entropy, placeholder_cross_entropy
from .noise import corrupt, model_fill, placeholders, select_tokens
from .target import masked_tokens, placeholder_counts, wrong_tokens
from .types import Examples


def objective(model, x: Examples, config: Config, rng: Generator) -> dict[str, Tensor]:
    """Terms of the loss, each (B,), nats per sequence; training minimises the mean of their sum."""
    vocab = config.vocab
    corrupted = select_tokens(x, rng, min_corrupted=config.noise.count.min_corrupted)  # (B, L)
    z = corrupt(x, corrupted)
    hidden = model(z.tokens, z.valid, read=z.read)  # (B, L, D)
    z_2 = placeholders(x, z.dropped, vocab)
    hidden_2 = model(z_2.tokens, z_2.valid)  # (B, L, D)
    z_3 = model_fill(model, hidden_2, z_2.tokens, z_2.valid, z_2.clean, z_2.masked)
    hidden_3 = model(z_3.tokens, z_3.valid)  # (B, L, D)
    target = placeholder_counts(z.dropped, z.gap, z.open)
    target_2 = masked_tokens(z_2.clean, z_2.masked)
    target_3 = wrong_tokens(x, z_3.wrong)
    return {
        "placeholder_cross_entropy": placeholder_cross_entropy(model, hidden, target).sum(1),
        "cross_entropy": cross_entropy(model, hidden_2, target_2).sum(1),
        "delete_cross_entropy": delete_cross_entropy(model, hidden_3, target_3).sum(1),
    }
