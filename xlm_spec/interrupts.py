"""Signals that wait until code that they must not interrupt has ended."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held(*numbers: int) -> Iterator[None]:
    """Signals that arrive inside take effect at the end. Default: SIGINT (Ctrl-C).

    A library that is interrupted while it is imported stays half imported. Processes that are
    started inside hold the signals until they call `release`. Without effect on Windows.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers or (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def release(*numbers: int) -> None:
    """Signals that this process was started with held take effect."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
