"""The machine that figures are from."""

import os
import platform
from pathlib import Path

import torch


def cores() -> int:
    """Those that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def threads_each(jobs: int) -> int:
    """Of each of several processes: its share of the cores, and no more than OMP_NUM_THREADS."""
    share = max(1, cores() // jobs)
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(share, int(wanted)) if wanted.isdigit() and int(wanted) else share


def machine(threads: int) -> str:
    name = platform.processor() or platform.machine()
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        lines = [line for line in cpu.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].partition(": ")[2] if lines else name
    if torch.cuda.is_available():
        name = f"{torch.cuda.get_device_name()}, {name}"
    return f"{name}, {cores()} cores, {threads} thread(s), torch {torch.__version__}"
