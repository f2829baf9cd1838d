"""Comparison and verification of specs: the only part that uses both compiler and torch."""

from pathlib import Path
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


def verify(target: str, recording: bool = False) -> "Verified":
    """See laws.py. `recording` writes the result into the README of a package, see verified.py.

    Raises Failed (X802) if only the compiler is installed.
    """
    try:
        with held():
            from xlm_spec.workbench.laws import verify as workflow
            from xlm_spec.workbench.verified import record
    except ImportError as e:
        raise missing("verify", e) from None
    done = workflow(target)
    if recording:
        record(done, Path(target))
    return done


def missing(command: str, error: ImportError) -> Failed:
    message = f"`{command}` requires the runtime, but `{error.name or error}` is not installed"
    return Failed(Diagnostic("X802", message, "pip install 'xlm-spec[train]'"))
