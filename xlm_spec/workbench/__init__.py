"""Where specs are compared and verified: the only part that uses compiler and torch together."""

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


def verify(target: str) -> "Verified":
    """See laws.py. Raises Failed (X802) where only the compiler is installed."""
    try:
        from xlm_spec.workbench.laws import verify as workflow
    except ImportError as e:
        raise without("verify", "runs a package", e) from None
    return workflow(target)


def without(command: str, does: str, error: ImportError) -> Failed:
    told = f"`{command}` {does}, and this is missing: {error.name or error}"
    return Failed(Diagnostic("X802", told, "pip install 'xlm-spec[train]'"))
