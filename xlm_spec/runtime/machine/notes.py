"""Notes that the processes of a run leave for each other: they outlive the process that left them.

They are in the store with which the processes met, in the first process or in that of torchrun.
"""

from typing import Any


def notes() -> Any:
    """The store of this run's notes."""
    from torch.distributed import PrefixStore
    from torch.distributed.distributed_c10d import _get_default_store

    return PrefixStore("xlm-spec", _get_default_store())


def leave(key: str, text: str) -> None:
    """Replaces a note. When this returns, every process can read it."""
    store = notes()
    store.set(key, text)
    store.check([key])  # waits until the store has processed the line above


def read(key: str) -> str | None:
    """A note; None if no process has left it."""
    store = notes()
    return store.get(key).decode() if store.check([key]) else None
