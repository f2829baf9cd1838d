"""`train --teacher`: a trained model, frozen, which losses read as `model.teacher`."""

import ast
import importlib
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from xlm_spec.diagnostics import Diagnostic, Failed, first_line
from xlm_spec.runtime.config.overrides import overridden
from xlm_spec.runtime.config.resolve_config import Run
from xlm_spec.runtime.weights import checkpoint
from xlm_spec.runtime.weights.exported import is_export


class Teacher:
    """A model in eval mode, on the device of its input. It is no part of the model that it teaches:
    neither of its parameters nor of its state dict.
    """

    def __init__(self, model: nn.Module):
        self.model = model.eval().requires_grad_(False)
        self.device = torch.device("cpu")

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

    If it is not `required` and cannot be loaded, prints why and returns the run as it is.
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
        why = f"{run.teacher_file}: {e.diagnostics[0].message}"
        print(f"warning: no teacher, so the loss is not computed ({why})", file=sys.stderr)
        return run
    if run.teacher_file:
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


def require_vocabulary(content: Mapping, run: Run, file: Path) -> None:
    """Raises Failed (X618) if teacher and run differ in their tokens."""
    theirs, ours = content["xlm_spec"]["vocab"], asdict(run.config.vocab)
    differ = [f"{k}: {theirs.get(k)}, here {v}" for k, v in ours.items() if theirs.get(k) != v]
    if not differ and content.get("words", {}) != run.task.words.state:
        differ = ["the tokenizer has other tokens"]
    if differ:
        message = f"the teacher has another vocabulary ({'; '.join(differ)})"
        hint = "use a teacher of the same task, tokenizer and special tokens"
        raise Failed(Diagnostic("X618", message, hint, str(file)))


def package_of(name: str, student: ModuleType) -> ModuleType:
    """The package of a teacher: the student's, one in the folder beside it, or an installed one.

    Raises Failed (X618).
    """
    if name == student.__name__:
        return student
    assert student.__file__
    beside = Path(student.__file__).resolve().parent.parent.parent / name
    if (beside / name / "__init__.py").is_file() and str(beside) not in sys.path:
        sys.path.insert(0, str(beside))
    try:
        package = importlib.import_module(name)
        assert package.Model
        assert package.Config
        return package
    except (ImportError, AttributeError):
        message = f"the package `{name}` of the teacher cannot be imported"
        hint = f"build it into {beside}, or install it"
        raise Failed(Diagnostic("X618", message, hint)) from None
