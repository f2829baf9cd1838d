"""Checkpoints: reading them, comparing them with a run, loading their weights."""

import pickle
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from xlm_spec.diagnostics import Diagnostic, Failed, first_line
from xlm_spec.runtime.config.hub_ids import is_hub
from xlm_spec.runtime.config.overrides import flat
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.machine import shards
from xlm_spec.runtime.weights import exported, hub
from xlm_spec.runtime.weights.pretrained import WEIGHTS


def read(file: Path) -> Any:
    """The content of a file of torch. Raises Failed (X701)."""
    if shards.is_sharded(file):
        message = "a sharded checkpoint may execute code when it is read"
        hint = "pass one of your own by --run; `export` makes a file that others can read"
        raise Failed(Diagnostic("X701", message, hint, file=str(file)))
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        hint = existing(file.parent)
        message = "checkpoint does not exist"
        raise Failed(Diagnostic("X701", message, hint, file=str(file))) from None
    except Exception as e:  # pickle, zip and torch raise different ones
        message = f"cannot read the checkpoint: {reason(e, file)}"
        raise Failed(Diagnostic("X701", message, file=str(file))) from None


def existing(folder: Path) -> str:
    """A hint: the names of the checkpoints in a folder; empty if there are none."""
    names = sorted(f.name for f in folder.glob("*.ckpt"))
    return f"checkpoints in {folder}: {', '.join(names)}" if names else ""


def reason(e: Exception, file: Path) -> str:
    """Why a file of torch cannot be read."""
    if isinstance(e, OSError) and e.strerror:
        return e.strerror
    if not file.stat().st_size:
        return "the file is empty"
    with file.open("rb") as content:
        archive = content.read(4) == b"PK\x03\x04"
    if not archive:
        return "not a file of torch"
    if not zipfile.is_zipfile(file):
        return "the file is incomplete"
    if isinstance(e, pickle.UnpicklingError):
        return "it holds objects other than tensors and plain values, which could execute code"
    return "the file is damaged"


def load(file: Path) -> dict:
    """An xlm-spec checkpoint, or an export of one. Raises Failed: X701, X631-X633."""
    source = located(file)
    return checked(exported.content(source) if exported.is_export(source) else read(source), file)


def load_own(file: Path, *parts: str) -> dict:
    """A checkpoint of a run of one's own; of a sharded one with the tensors of these parts.

    Raises Failed: X701, X631-X633.
    """
    if not shards.is_sharded(file):
        return load(file)
    try:
        return checked(shards.read(file, *parts), file)
    except (OSError, RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as e:
        message = f"cannot read the checkpoint: {first_line(e)}"
        raise Failed(Diagnostic("X701", message, file=str(file))) from None


def located(source: Path) -> Path:
    """A checkpoint of the hub in its local copy; of an export its folder; another one as it is.

    Raises Failed: X508, X631-X633.
    """
    if is_hub(source):
        return hub.local(source)
    within = source.name == WEIGHTS and exported.is_export(source.parent)
    return source.parent if within else source


def is_checkpoint(content: Any) -> bool:
    """Has a file the parts of an xlm-spec checkpoint?"""
    return isinstance(content, dict) and {"state_dict", "xlm_spec"} <= set(content)


def checked(content: Any, file: Path) -> dict:
    """The content of an xlm-spec checkpoint. Raises Failed (X701)."""
    if not is_checkpoint(content):
        raise Failed(Diagnostic("X701", "not an xlm-spec checkpoint", file=str(file)))
    try:
        settings_of(content)
        content["state_dict"].items()
        content.get("words", {}).items()
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Failed(Diagnostic("X701", "the checkpoint is damaged", file=str(file))) from None
    return dict(content)


def settings_of(checkpoint: dict) -> dict:
    """Every setting that the weights were trained with, by dotted name."""
    stored = dict(checkpoint["xlm_spec"])
    vocab = {f"vocab.{k}": v for k, v in stored.pop("vocab").items()}
    return flat(stored) | vocab


def differences(checkpoint: dict, run: Run, file: Path) -> list[str]:
    """The settings of a run that differ from those of training, one per line.

    Raises Failed (X702) if the vocabularies differ.
    """
    current = run.settings | {f"vocab.{k}": v for k, v in asdict(run.config.vocab).items()}
    trained = settings_of(checkpoint)
    differ = [
        f"{k}: {trained[k]} in the checkpoint, {current[k]} in this run"
        for k in current
        if k in trained and trained[k] != current[k]
    ]
    vocabulary = [d for d in differ if d.startswith("vocab.")]
    if not vocabulary and checkpoint.get("words", {}) != run.task.tokenizer.state:
        vocabulary = ["the tokenizer has other tokens"]
    if vocabulary:
        raise mismatch(vocabulary, file)
    return differ


def load_weights(model: torch.nn.Module, checkpoint: dict, file: Path) -> None:
    """Loads the averaged weights into a model. Raises Failed (X702) if the shapes differ."""
    weights = {
        k.removeprefix("model."): v
        for k, v in checkpoint["state_dict"].items()
        if k.startswith("model.")
    }
    expected = {k: tuple(v.shape) for k, v in model.state_dict().items()}
    stored = {k: tuple(v.shape) for k, v in weights.items()}
    if expected != stored:
        names = [k for k in {**expected, **stored} if expected.get(k) != stored.get(k)]
        raise mismatch([shapes(k, stored.get(k), expected.get(k)) for k in names], file)
    model.load_state_dict(weights)


def shapes(name: str, stored: tuple | None, expected: tuple | None) -> str:
    if stored is None:
        return f"`{name}` is missing, expected shape {expected}"
    if expected is None:
        return f"`{name}` is unexpected"
    return f"`{name}` has shape {stored}, expected {expected}"


def mismatch(differ: list[str], file: Path) -> Failed:
    more = f"; and {len(differ) - 3} more" if len(differ) > 3 else ""
    message = f"checkpoint does not match the model: {'; '.join(differ[:3])}{more}"
    hint = "use the --size, --task and backbone.* settings of its training"
    return Failed(Diagnostic("X702", message, hint, str(file)))
