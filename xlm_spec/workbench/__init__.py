"""Where specs are compared and verified: the only part that uses compiler and torch together."""

from pathlib import Path
from typing import TYPE_CHECKING

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.workbench.request import Request

if TYPE_CHECKING:
    from xlm_spec.workbench.laws import Verified


def compare(request: Request) -> str:
    """See compare.py. Raises Failed (X802) where only the compiler is installed."""
    try:
        from xlm_spec.workbench.compare import compare as workflow
    except ImportError as e:
        raise without("compare", "trains", e) from None
    return workflow(request)


def verify(target: str, recording: bool = False) -> "Verified":
    """See laws.py; `recording` puts it into the README of a package, see verified.py.

    Raises Failed (X802) where only the compiler is installed.
    """
    try:
        from xlm_spec.workbench.laws import verify as workflow
        from xlm_spec.workbench.verified import record
    except ImportError as e:
        raise without("verify", "runs a package", e) from None
    done = workflow(target)
    if recording:
        record(done, Path(target))
    return done


def without(command: str, does: str, error: ImportError) -> Failed:
    told = f"`{command}` {does}, and this is missing: {error.name or error}"
    return Failed(Diagnostic("X802", told, "pip install 'xlm-spec[train]'"))
