"""`train --teacher`: a trained model, frozen, which losses read as `model.teacher`."""

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from xlm_spec.diagnostics import Diagnostic, Failed, first_line
from xlm_spec.runtime.config.hub_ids import is_hub
from xlm_spec.runtime.config.overrides import overridden
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.weights import checkpoint
from xlm_spec.runtime.weights.exported import is_export

GENERATED = ("config", "model", "objective", "types")  # modules of each package


class Teacher:
    """A model in eval mode, on the device of its input. It is no part of the model that it teaches:
    neither of its parameters nor of its state dict.
    """

    def __init__(self, model: nn.Module):
        self.model = model.eval().requires_grad_(False)
        self.device = torch.device("cpu")
        self.digest = digest(model)

    def __call__(self, tokens: Tensor, *arguments: Any, **named: Any) -> Tensor:
        if tokens.device != self.device:
            self.device = tokens.device
            self.model.to(self.device)
        with torch.no_grad():
            return self.model(tokens, *arguments, **named)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "model":
            raise AttributeError(name)
        return getattr(self.model, name)

    def __deepcopy__(self, memo: dict) -> "Teacher":
        return self  # averaged weights are a copy of the model


def with_teacher(run: Run, required: bool = True) -> Run:
    """The run with its teacher loaded. Raises Failed: X618, X701, X702.

    If it is not `required` and cannot be loaded, prints why and returns the run as it is. One that
    is required but that no loss reads is reported.
    """
    if run.teacher is not None:
        return run
    reads = reads_teacher(run.package)
    try:
        if reads and not run.teacher_file:
            message = f"a loss of {run.name} reads `model.teacher`, but the run has no teacher"
            hint = "train with --teacher CHECKPOINT, a run folder or a checkpoint"
            raise Failed(Diagnostic("X618", message, hint))
        if reads:
            return replace(run, teacher=load(Path(run.teacher_file), run))
    except Failed as e:
        if required:
            raise
        why = e.diagnostics[0].message
        why = (
            f"{run.teacher_file}: {why}" if run.teacher_file else f"{why}: use --teacher CHECKPOINT"
        )
        print(f"warning: no teacher, so the loss is not computed ({why})", file=sys.stderr)
        return run
    if run.teacher_file and required:
        line = f"not used: the teacher; no loss of {run.name} reads `model.teacher`"
        print(line, file=sys.stderr)
    return run


def reads_teacher(package: ModuleType) -> bool:
    """Does the code of a package read `model.teacher`?"""
    assert package.__file__
    files = sorted(Path(package.__file__).parent.glob("*.py"))
    nodes = (n for f in files for n in ast.walk(ast.parse(f.read_text(encoding="utf-8"))))
    return any(isinstance(n, ast.Attribute) and ast.unparse(n) == "model.teacher" for n in nodes)


def load(source: Path, run: Run) -> Teacher:
    """The model of a run folder, a checkpoint or an export. Raises Failed: X618, X701, X702."""
    from xlm_spec.runtime.weights.load_model import best_of

    if not (source.exists() or is_hub(source)):
        hint = checkpoint.existing(source.parent)
        hint = hint or "if it has moved, name its new place: --teacher CHECKPOINT"
        raise Failed(Diagnostic("X701", "the teacher does not exist", hint, str(source)))
    file = best_of(source) if source.is_dir() and not is_export(source) else source
    content = checkpoint.load(file)
    stored = content["xlm_spec"]
    require_vocabulary(content, run, file)
    package = package_of(str(stored.get("package", run.name)), run.package)
    try:
        config = package.Config(vocab=package.Vocab(**stored["vocab"]))
        model = package.Model(overridden(config, checkpoint.settings_of(content)))
    except Exception as e:  # the code of another package
        message = f"cannot build the teacher with package `{package.__name__}`: {first_line(e)}"
        raise Failed(Diagnostic("X618", message, file=str(file))) from None
    checkpoint.load_weights(model, content, file)
    return Teacher(model)


def digest(model: nn.Module) -> str:
    """A digest of the weights of a model, which checkpoints of its students store."""
    found = hashlib.sha256()
    for name, value in model.state_dict().items():
        found.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        found.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return found.hexdigest()


def require_same(run: Run, content: Mapping, file: Path) -> None:
    """Raises Failed (X618) if a run continues with other weights of its teacher."""
    known = content.get("teacher")
    if run.teacher is not None and known and run.teacher.digest != known:
        message = f"the weights of the teacher, `{run.teacher_file}`, differ from those of this run"
        hint = "name the checkpoint that the run began with: --teacher CHECKPOINT"
        raise Failed(Diagnostic("X618", message, hint, str(file)))


def require_vocabulary(content: Mapping, run: Run, file: Path) -> None:
    """Raises Failed (X618) if teacher and run differ in their tokens."""
    theirs, ours = content["xlm_spec"]["vocab"], asdict(run.config.vocab)
    differ = [f"{k}: {theirs.get(k)}, here {v}" for k, v in ours.items() if theirs.get(k) != v]
    if not differ and content.get("words", {}) != run.task.tokenizer.state:
        differ = ["the tokenizer has other tokens"]
    if differ:
        message = f"the teacher has another vocabulary ({'; '.join(differ)})"
        hint = "use a teacher of the same task, tokenizer and special tokens"
        raise Failed(Diagnostic("X618", message, hint, str(file)))


def package_of(name: str, student: ModuleType) -> ModuleType:
    """The package of a teacher: the student's, one in the folder beside it, or an installed one.

    The file of a teacher names it, so only packages that xlm-spec has built are imported, and none
    from the current folder. Raises Failed (X618).
    """
    if name == student.__name__:
        return student
    known = sys.modules.get(name)
    if known is not None and is_generated(Path(getattr(known, "__file__", None) or "")):
        return known
    assert student.__file__
    beside = Path(student.__file__).resolve().parent.parent.parent / name
    found = located(name, beside) if name.isidentifier() and known is None else None
    if found is None or found.loader is None:
        message = f"the package {name!r} of the teacher is neither built nor installed"
        hint = f"build it into {beside}, or install it" if name.isidentifier() else ""
        raise Failed(Diagnostic("X618", message, hint))
    package = importlib.util.module_from_spec(found)
    sys.modules[name] = package
    try:
        found.loader.exec_module(package)
    except Exception as e:  # the code of another package
        del sys.modules[name]
        message = f"the package `{name}` of the teacher cannot be imported: {first_line(e)}"
        raise Failed(Diagnostic("X618", message)) from None
    return package


def located(name: str, beside: Path) -> ModuleSpec | None:
    """Where a package of xlm-spec is, without importing it."""
    here = Path.cwd().resolve()
    installed = [p for p in sys.path if p and Path(p).resolve() != here]
    found = PathFinder.find_spec(name, [str(beside), *installed])
    return found if found and found.origin and is_generated(Path(found.origin)) else None


def is_generated(file: Path) -> bool:
    """Has the package of this `__init__.py` the modules of one that xlm-spec builds?"""
    return all((file.parent / f"{m}.py").is_file() for m in GENERATED)
