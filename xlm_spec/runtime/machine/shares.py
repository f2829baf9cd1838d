"""The last state of a run whose devices share the weights, after one of them has failed.

They can no longer talk to each other, so each leaves its share of the tensors in a file of the
folder `exception.ckpt.shares`; a run that continues joins them. A process that was killed leaves
none.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xlm_spec.runtime.machine.shards import PLACES, put, split

PAUSE = 0.2  # seconds between two looks


def folder_of(target: Path) -> Path:
    """The folder of the shares of a checkpoint."""
    return target.with_name(f"{target.name}.shares")


def leave(target: Path, checkpoint: Mapping[str, Any], rank: int, world: int) -> None:
    """Writes the share of this device.

    Raises RuntimeError if its weights are not finite, or not divided along their first dimension.
    """
    rest, tensors = split(checkpoint)
    parts = {name: share_of(name, t) for name, t in tensors.items()}
    weights = [t for name, (t, _) in parts.items() if name.startswith("current_model_state")]
    if not all(t.isfinite().all() for t in weights):
        raise RuntimeError("the weights are not finite")
    folder = folder_of(target)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{rank}.part"
    torch.save({"world": world, "rest": rest, "tensors": parts}, part)
    part.replace(folder / f"{rank}.pt")


def share_of(name: str, tensor: Any) -> tuple[Tensor, bool]:
    """The part of this device, and whether other devices have other parts."""
    from torch.distributed.tensor import DTensor, Shard

    if not isinstance(tensor, DTensor):
        return tensor, False
    [placement] = tensor.placements
    if placement != Shard(0) and not placement.is_replicate():
        raise RuntimeError(f"cannot join {name}, which is placed as {placement}")
    return tensor.to_local(), placement == Shard(0)


def read(folder: Path) -> list[dict[str, Any]]:
    """The shares of all devices, mapped into memory.

    Raises RuntimeError if one is missing, damaged, or of another step.
    """
    found: list[dict[str, Any]] = []
    while not found or len(found) < found[0]["world"]:
        file = folder / f"{len(found)}.pt"
        if not file.exists():
            raise RuntimeError(f"process {len(found)} left none")
        found.append(torch.load(file, map_location="cpu", weights_only=True, mmap=True))
    made = [(share["world"], share["rest"]["global_step"]) for share in found]
    if len({*made}) > 1:
        raise RuntimeError(f"they are of steps {', '.join(str(step) for _, step in made)}")
    return found


def joined(shares: list[dict[str, Any]]) -> dict[str, Any]:
    """The checkpoint of the shares of all devices, with the rest of the first one."""
    content: dict[str, Any] = shares[0]["rest"]
    for name, place in content.pop(PLACES).items():
        parts, divided = [s["tensors"][name][0] for s in shares], shares[0]["tensors"][name][1]
        put(content, place, torch.cat(parts) if divided else parts[0].clone())
    return content


def wait(folder: Path) -> None:
    """Returns when another process has joined the shares."""
    while True:
        try:
            read(folder)
        except Exception:  # it is being removed: files of torch raise different ones
            return
        time.sleep(PAUSE)
