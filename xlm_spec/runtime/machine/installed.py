"""The libraries, devices and memory of this machine. Needs no torch."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

LIBRARIES = {  # library -> the extra that installs it
    "torch": "train",
    "lightning": "train",
    "torchmetrics": "train",
    "datasets": "train",
    "tensorboard": "train",
    "tokenizers": "tokenizers",
    "huggingface_hub": "hub",
    "transformers": "hub",
    "wandb": "wandb",
    "trackio": "trackio",
}
GB = 1e9


def lines() -> list[str]:
    """What is installed, and the devices, one per line."""
    python = f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    out = [f"{'python':16} {python}", *(f"{k:16} {version(k)}" for k in ("xlm-spec", *LIBRARIES))]
    return [*out, f"{'cpu':16} {cores()} cores, {free_of_cpu() / GB:.1f} GB free", *gpus()]


def version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        extra = LIBRARIES.get(library)
        return f"not installed: pip install 'xlm-spec[{extra}]'" if extra else "not installed"


def cores() -> int:
    """The number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def gpus() -> list[str]:
    """The GPUs that torch can use, with the precisions that they compute in."""
    if "not installed" in version("torch"):
        return []
    import torch

    if not torch.cuda.is_available():
        return [f"{'gpu':16} none; training uses the CPU, with 32-true or bf16-mixed"]
    found = []
    for i in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(i)
        bf16 = "32-true, bf16-mixed, 16-mixed" if bf16_on(i) else "32-true, 16-mixed"
        memory = f"{free / GB:.1f} of {total / GB:.1f} GB free"
        found.append(f"{f'gpu {i}':16} {torch.cuda.get_device_name(i)}, {memory}; {bf16}")
    return found


def bf16_on(device: int) -> bool:
    import torch

    return torch.cuda.get_device_capability(device) >= (8, 0)


def free_of_cpu() -> int:
    """Bytes of memory that a process can still use; without such a figure, all memory."""
    info = Path("/proc/meminfo")
    if info.exists():
        found = [x.split() for x in info.read_text().splitlines() if x.startswith("MemAvailable")]
        if found:
            return int(found[0][1]) * 1024
    if sys.platform == "win32":
        return 0
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
