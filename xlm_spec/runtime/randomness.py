"""Counter-based randomness: a generator depends on its purpose, not on earlier draws."""

import hashlib

import torch
from torch import Generator


def seed_of(*what: object) -> int:
    """63 bits from, for example, (seed, step, rank, purpose)."""
    digest = hashlib.blake2b(repr(what).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(*what: object, device: str | torch.device = "cpu") -> Generator:
    """A generator on a device, seeded by its purpose."""
    return Generator(device=device).manual_seed(seed_of(*what))
