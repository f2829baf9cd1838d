"""Weights from files: what agrees is loaded, what differs is told."""

from dataclasses import asdict
from pathlib import Path

import torch

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.choose import Run
from xlm_spec.runtime.dotted import flat


def load(file: Path) -> dict:
    """A checkpoint of ours. Raises Failed (X701)."""
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise Failed(Diagnostic("X701", "there is no such checkpoint", file=str(file))) from None
    except Exception as e:  # pickle, zip and torch each have their own
        told = f"cannot read the checkpoint: {str(e).splitlines()[0]}"
        raise Failed(Diagnostic("X701", told, file=str(file))) from None
    if not isinstance(found, dict) or not {"state_dict", "xlm_spec"} <= set(found):
        told = "this is no checkpoint of a training run of ours"
        raise Failed(Diagnostic("X701", told, file=str(file)))
    try:
        numbers_of(found)
        found["state_dict"].items()
        found.get("words", {}).items()
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Failed(Diagnostic("X701", "the checkpoint is damaged", file=str(file))) from None
    return found


def numbers_of(checkpoint: dict) -> dict:
    """Every number that the weights were trained with, by dotted name."""
    told = dict(checkpoint["xlm_spec"])
    vocab = {f"vocab.{k}": v for k, v in told.pop("vocab").items()}
    return flat(told) | vocab


def agree(checkpoint: dict, run: Run, file: Path) -> list[str]:
    """What differs from how the weights were trained, a line each.

    Raises Failed (X702) where the vocabularies do.
    """
    mine = run.numbers | {f"vocab.{k}": v for k, v in asdict(run.config.vocab).items()}
    theirs = numbers_of(checkpoint)
    differ = [
        f"{k}: {theirs[k]} in the checkpoint, {mine[k]} here"
        for k in mine
        if k in theirs and theirs[k] != mine[k]
    ]
    vocabulary = [d for d in differ if d.startswith("vocab.")]
    if not vocabulary and checkpoint.get("words", {}) != run.task.words.state:
        vocabulary = ["the tokenizer's tokens are others"]
    if vocabulary:
        raise disagreement(vocabulary, file)
    return differ


def put(model: torch.nn.Module, checkpoint: dict, file: Path) -> None:
    """Loads averaged weights into a model. Raises Failed (X702) where the networks differ."""
    weights = {
        k.removeprefix("model."): v
        for k, v in checkpoint["state_dict"].items()
        if k.startswith("model.")
    }
    wanted = {k: tuple(v.shape) for k, v in model.state_dict().items()}
    given = {k: tuple(v.shape) for k, v in weights.items()}
    if wanted != given:
        names = [k for k in {**wanted, **given} if wanted.get(k) != given.get(k)]
        told = [f"{k}: {given.get(k)} there, {wanted.get(k)} here" for k in names]
        raise disagreement(told, file)
    model.load_state_dict(weights)


def disagreement(differ: list[str], file: Path) -> Failed:
    more = f"; and {len(differ) - 3} more" if len(differ) > 3 else ""
    told = f"these weights are of another network: {'; '.join(differ[:3])}{more}"
    hint = "give the --size, --task and backbone.* numbers that they were trained with"
    return Failed(Diagnostic("X702", told, hint, str(file)))
