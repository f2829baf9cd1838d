"""Weights from files: what agrees is loaded, what differs is told."""

from pathlib import Path

import torch

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.choose import Run, flat

DECIDE = ("backbone.", "vocab.")  # what weights depend on


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
    return found


def numbers_of(checkpoint: dict) -> dict:
    """Every number that the weights were trained with, by dotted name."""
    told = dict(checkpoint["xlm_spec"])
    vocab = {f"vocab.{k}": v for k, v in told.pop("vocab").items()}
    return flat(told) | vocab


def put(model: torch.nn.Module, checkpoint: dict, run: Run, file: Path) -> list[str]:
    """Loads averaged weights into a model; returns what else differs, a line each.

    Raises Failed (X702) where backbone, heads or vocabulary disagree.
    """
    vocab = run.config.vocab
    special = ("size", "pad", "bos", "eos", "mask")
    mine = run.numbers | {f"vocab.{k}": getattr(vocab, k) for k in special}
    theirs = numbers_of(checkpoint)
    differ = [
        f"{k}: {theirs[k]} in the checkpoint, {mine[k]} here"
        for k in mine
        if k in theirs and theirs[k] != mine[k]
    ]
    weights = {
        k.removeprefix("model."): v
        for k, v in checkpoint["state_dict"].items()
        if k.startswith("model.")
    }
    wanted = {k: v.shape for k, v in model.state_dict().items()}
    given = {k: v.shape for k, v in weights.items()}
    vocabularies = [d for d in differ if d.startswith("vocab.")]
    if wanted != given or vocabularies:
        why = [d for d in differ if d.startswith(DECIDE)]
        why += [f"{k}: {given.get(k)} there, {wanted.get(k)} here" for k in {**wanted, **given}
                if wanted.get(k) != given.get(k)][:3]  # fmt: skip
        told = "these weights are of another network: " + "; ".join(why)
        hint = "give the same --size, --task and backbone.* numbers, or --run"
        raise Failed(Diagnostic("X702", told, hint, str(file)))
    model.load_state_dict(weights)
    return differ
