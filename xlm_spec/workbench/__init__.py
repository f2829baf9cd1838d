"""Comparison and verification of specs: the only part that uses both compiler and torch."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.interrupts import held
from xlm_spec.workbench.request import Request

if TYPE_CHECKING:
    from xlm_spec.workbench.laws import Verified


def compare(request: Request) -> str:
    """See compare.py. Raises Failed (X802) if only the compiler is installed."""
    try:
        with held():
            from xlm_spec.workbench.compare import compare as workflow
    except ImportError as e:
        raise missing("compare", e) from None
    return workflow(request)


def verify(target: str, recording: bool = False, only: Sequence[str] = ()) -> "Verified":
    """See laws.py. `recording` writes the result into the README of a package, see verified.py.

    Raises Failed (X802) if only the compiler is installed.
    """
    try:
        with held():
            from xlm_spec.workbench.laws import verify as workflow
            from xlm_spec.workbench.verified import record
    except ImportError as e:
        raise missing("verify", e) from None
    done = workflow(target, only)
    if recording:
        record(done, Path(target))
    return done


def tokenize(
    files: Sequence[str],
    task: str | None,
    sets: Sequence[str],
    size: int,
    column: str,
    special: Sequence[str],
) -> str:
    """The tokenizer.json of the texts of files or of a task, see train_tokenizer.py.

    Raises Failed: X5xx, X6xx; X802 if only the compiler is installed.
    """
    try:
        with held():
            from xlm_spec.runtime.loading.train_tokenizer import texts_in, texts_of_task, trained
    except ImportError as e:
        raise missing("tokenize", e) from None
    texts = texts_of_task(task, sets) if task else texts_in(files, column)
    return trained(texts, size, special)


def law_names() -> list[str]:
    """The laws that `verify` tests. Raises Failed (X802) if only the compiler is installed."""
    try:
        with held():
            from xlm_spec.laws import LAWS
    except ImportError as e:
        raise missing("verify", e) from None
    return [law.name for law in LAWS]


def doctor(spec: str, task: str | None, size: str, batch: int | None, sets: Sequence[str]) -> None:
    """See runtime/doctor.py; the package of the spec is built in a temporary folder.

    Raises Failed: X802 if only the compiler is installed.
    """
    from xlm_spec.compiler.build import build

    try:
        with held():
            from xlm_spec.runtime.doctor import doctor as workflow
            from xlm_spec.workbench.packages import resolved_run
    except ImportError as e:
        raise missing("doctor SPEC", e) from None
    more = [f"train.batch={batch}"] if batch is not None else []
    with TemporaryDirectory() as folder:
        home = build(spec, folder).folder
        note = home / ".xlm" / "origin"  # paths in the spec are relative to it
        note.write_text(str(Path(spec).absolute().parent), encoding="utf-8")
        workflow(resolved_run(home, task, size, [*sets, *more]))


def missing(command: str, error: ImportError) -> Failed:
    message = f"`{command}` requires the runtime, but `{error.name or error}` is not installed"
    return Failed(Diagnostic("X802", message, "pip install 'xlm-spec[train]'"))
