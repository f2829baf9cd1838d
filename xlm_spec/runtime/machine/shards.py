"""Sharded checkpoints: folders to which each device writes its share of the tensors.

`rest.pt` holds everything else, and the place of each tensor; torch.distributed.checkpoint writes
the other files. Together they have the content of a checkpoint in one file.
"""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

REST = "rest.pt"
PLACES = "places"  # in it: name of a tensor -> its place in the checkpoint
PARTS = ("state_dict", "current_model_state", "optimizer_states")  # of a checkpoint, with tensors
Place = tuple[str | int, ...]


def is_sharded(path: Path) -> bool:
    return (path / REST).is_file()


def split(checkpoint: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A checkpoint without the tensors of its parts, and these tensors by their names."""
    found = {place: t for part in PARTS for place, t in tensors_in(checkpoint[part], (part,))}
    names = {name_of(place): place for place in found}
    rest = {k: without_tensors(v) if k in PARTS else v for k, v in checkpoint.items()}
    return rest | {PLACES: names}, {name: found[place] for name, place in names.items()}


def tensors_in(tree: Any, at: Place) -> Iterator[tuple[Place, Tensor]]:
    if isinstance(tree, Tensor):
        yield at, tree
    for key, inner in children(tree):
        yield from tensors_in(inner, (*at, key))


def name_of(place: Place) -> str:
    return "/".join(map(str, place))


def children(tree: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(tree, Mapping):
        yield from tree.items()
    elif isinstance(tree, list):
        yield from enumerate(tree)


def without_tensors(tree: Any) -> Any:
    """A copy with None for each tensor."""
    if isinstance(tree, Mapping):
        return {k: without_tensors(v) for k, v in tree.items()}
    if isinstance(tree, list):
        return [*map(without_tensors, tree)]
    return None if isinstance(tree, Tensor) else tree


def rest_of(folder: Path) -> dict[str, Any]:
    """A checkpoint with None for each tensor of its parts."""
    found: dict[str, Any] = torch.load(folder / REST, map_location="cpu", weights_only=True)
    return found


def read(folder: Path, *parts: str) -> dict[str, Any]:
    """A checkpoint with the whole tensors of some parts, and None for those of the others."""
    from torch.distributed.checkpoint import FileSystemReader

    metadata = FileSystemReader(folder).read_metadata()
    require_complete(folder, metadata.storage_data)
    known, content = metadata.state_dict_metadata, rest_of(folder)
    names = [name for name, place in content[PLACES].items() if place[0] in parts]
    kinds: dict[str, Any] = {name: known[name] for name in names}
    tensors = {n: torch.empty(k.size, dtype=k.properties.dtype) for n, k in kinds.items()}
    load(folder, tensors, alone=True)
    for name in names:
        put(content, content[PLACES][name], tensors[name])
    return content


def require_complete(folder: Path, written: Mapping[Any, Any]) -> None:
    """Raises RuntimeError if a file is missing or too short for what was `written`."""
    for at in written.values():
        file = folder / at.relative_path
        if not file.exists() or file.stat().st_size < at.offset + at.length:
            raise RuntimeError(f"{at.relative_path} is incomplete")


def put(tree: Any, place: Place, value: Tensor) -> None:
    *outer, last = place
    for key in outer:
        tree = tree[key]
    tree[last] = value


def load_shares(folder: Path, parts: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint with the shares of this device: those that `parts` has, of other values."""
    content = rest_of(folder)
    shares = {name_of(p): (p, t) for k in parts for p, t in tensors_in(parts[k], (k,))}
    load(folder, {name: tensor for name, (_, tensor) in shares.items()})
    for place, tensor in shares.values():
        put(content, place, tensor)
    return content


def load(folder: Path, tensors: dict[str, Tensor], alone: bool = False) -> None:
    """Fills tensors by their names, of each device its share. All devices call this, or one alone.

    Raises RuntimeError if the files are damaged.
    """
    from torch.distributed import checkpoint

    reader = checkpoint.FileSystemReader(folder)
    try:
        with warnings.catch_warnings(action="ignore"):  # that one process reads all
            checkpoint.load(tensors, storage_reader=reader, no_dist=alone)
    except checkpoint.CheckpointException as e:  # derives from BaseException
        raise RuntimeError(str(e)) from None


def save(folder: Path, checkpoint: Mapping[str, Any], first: bool) -> None:
    """Writes a checkpoint to a new folder; the `first` device writes the rest, at the end.

    All devices call this. Raises OSError, RuntimeError.
    """
    from torch.distributed import checkpoint as distributed

    rest, tensors = split(checkpoint)
    writer = distributed.FileSystemWriter(folder)
    try:
        with warnings.catch_warnings(action="ignore"):  # that one process writes all
            distributed.save(tensors, storage_writer=writer)
    except distributed.CheckpointException as e:  # derives from BaseException
        raise RuntimeError(str(e)) from None
    if first:
        torch.save(rest, folder / REST)
