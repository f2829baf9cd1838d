"""A trained network from a run folder or a checkpoint, with the numbers it was trained with."""

import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.runtime import checkpoint, tasks
from xlm_spec.runtime.choose import Run, choose, model_of, names
from xlm_spec.runtime.layout import Layout, layout_of
from xlm_spec.runtime.words import restored


@dataclass(frozen=True)
class Loaded:
    """Ready to evaluate and sample."""

    run: Run
    layout: Layout
    model: torch.nn.Module
    device: torch.device
    checkpoint: Path
    step: int | None  # of training, where the checkpoint tells


def load(package, data, train, args) -> Loaded:
    """The best checkpoint of `--run`, or `--checkpoint`; `--set` and `--task` change numbers."""
    file = args.checkpoint or best_of(args.run)
    found = checkpoint.load(file)
    run = run_of(found, package, data, train, args)
    layout = layout_of(package, run.task, run.config.vocab, run.data.fill)
    tell(checkpoint.agree(found, run, file))
    model = model_of(run, layout.room)
    checkpoint.put(model, found, file)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Loaded(run, layout, model.to(device).eval(), device, file, found.get("global_step"))


def run_of(found: dict, package, data, train, args) -> Run:
    """The run of a checkpoint, as far as its numbers are known here; in its own words."""
    told = {k: v for k, v in found["xlm_spec"].items() if k in ("task", "size")}
    known = names(package, tasks.find(str(args.task or told["task"]))).now
    told |= {k: v for k, v in checkpoint.numbers_of(found).items() if k in known}
    words = restored(found.get("words", {}))
    return choose(package, data, train, args.task, None, told, args.sets, words=words)


def tell(differences: list[str]) -> None:
    for line in differences:
        print(f"differs from the checkpoint: {line}", file=sys.stderr)


def best_of(folder: Path) -> Path:
    found = [folder / "checkpoints" / f"{n}.ckpt" for n in ("best", "last")]
    file = next((f for f in found if f.exists()), None)
    if file is None:
        hint = "train into it first, or give --checkpoint"
        raise Failed(Diagnostic("X701", "this run has no checkpoint", hint, str(folder)))
    return file


def sampler_of(run: Run, name: str | None) -> str:
    """The sampler asked for, else the first. Raises Failed (X703)."""
    known = list(run.package.SAMPLERS)
    if name is not None and name not in known:
        told = f"{run.name} has no sampler `{name}`"
        raise Failed(Diagnostic("X703", told, alternatives(name, known)))
    return name or known[0]
