"""Seconds and memory of a process. Both sides import it, so it uses the standard library only."""

import time
from collections.abc import Callable
from pathlib import Path


def seconds(call: Callable[[], object], times: int) -> list[float]:
    """The seconds of each call."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return found


def most_memory() -> float:
    """The peak memory of this process in MiB (Linux). `ru_maxrss` includes memory before exec."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
