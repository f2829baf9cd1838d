"""Seconds and memory of a process; read on both sides, so it needs the standard library alone."""

import time
from collections.abc import Callable
from pathlib import Path


def seconds(call: Callable[[], object], times: int) -> list[float]:
    """Of each call."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return found


def most_memory() -> float:
    """MiB of this process at its largest; Linux. `ru_maxrss` would count what came before exec."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
