"""Libraries that are extras of the package."""

from importlib import import_module
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed


def require(library: str, what: str, extra: str = "") -> Any:
    """The module of a library that `what` needs. Raises Failed (X508) if it is missing."""
    try:
        return import_module(library)
    except ImportError:
        message = f"{what} requires the library {library}"
        hint = f"pip install 'xlm-spec[{extra or library}]'"
        raise Failed(Diagnostic("X508", message, hint)) from None
