"""Where specs are compared: the only part that uses compiler and runtime together."""

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.workbench.request import Request


def compare(request: Request) -> str:
    """See compare.py. Raises Failed (X802) where only the compiler is installed."""
    try:
        from xlm_spec.workbench.compare import compare as workflow
    except ImportError as e:
        told = f"`compare` trains, and this is missing: {e.name or e}"
        raise Failed(Diagnostic("X802", told, "pip install 'xlm-spec[train]'")) from None
    return workflow(request)
