"""The machine of a measurement."""

import os
import platform
from pathlib import Path

import torch


def cores() -> int:
    """The number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def threads_each(jobs: int) -> int:
    """Threads per process: OMP_NUM_THREADS, up to the share of the cores of a job; default one.

    With more threads the figures would depend on the machine; see `use_threads`.
    """
    variable = os.environ.get("OMP_NUM_THREADS", "")
    share = max(1, cores() // jobs)
    return min(share, int(variable)) if variable.isdigit() and int(variable) else 1


def machine(threads: int) -> str:
    name = platform.processor() or platform.machine()
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        lines = [
            line
            for line in cpu.read_text(errors="replace").splitlines()
            if line.startswith("model name")
        ]
        name = lines[0].partition(": ")[2] if lines else name
    if torch.cuda.is_available():
        name = f"{torch.cuda.get_device_name()}, {name}"
    return f"{name}, {cores()} cores, {threads} thread(s), torch {torch.__version__}"
