"""Counter-based randomness: a generator depends on what it is for, not on what ran before."""

import hashlib

import torch
from torch import Generator


def seed_of(*what: object) -> int:
    """63 bits from, for example, (seed, step, rank, purpose)."""
    digest = hashlib.blake2b(repr(what).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(*what: object, device: str | torch.device = "cpu") -> Generator:
    """A generator on a device, seeded by what it is for."""
    return Generator(device=device).manual_seed(seed_of(*what))
