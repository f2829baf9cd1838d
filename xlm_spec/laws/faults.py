"""Whether an exception is a fault of the package or of the laws.

An exception counts against a method only if the package's own code raises it. The laws run this
code with models of their own; what such a model lacks is a fault of the laws.
"""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .method import Method

LAWS = Path(__file__).parent
CALL = re.compile(r"(\w+)\.\w+\(\) (takes|got|missing)")  # the message of a call that does not fit


def arises_in_package(e: BaseException, m: Method) -> bool:
    """Is the innermost frame, of those of the package and of the laws, one of the package?"""
    if lacks_attribute(e, m) or lacks_parameter(e, m):
        return False
    files = [Path(frame.filename) for frame in traceback.extract_tb(e.__traceback__)]
    known = [f for f in files if of_package(f, m) or of_laws(f, m)]
    return bool(known) and of_package(known[-1], m)


def place_of(e: BaseException, m: Method) -> str:
    """The innermost line of the package that an exception comes from: `loss.py:19, in nats`."""
    frames = traceback.extract_tb(e.__traceback__)
    inside = [f for f in frames if of_package(Path(f.filename), m)]
    if not inside:
        return ""
    place = inside[-1]
    return f"{Path(place.filename).name}:{place.lineno}, in `{place.name}`: `{place.line}`"


def of_package(file: Path, m: Method) -> bool:
    return file.is_relative_to(Path(m.module.__file__).parent)


def of_laws(file: Path, m: Method) -> bool:
    """Is it a file of this library, or a law file?"""
    return file.is_relative_to(LAWS) or file.name.endswith("_law.py")


def missing_method(e: BaseException, m: Method) -> str:
    """The method of the package's own model that a model of the laws does not have; or ""."""
    name = str(getattr(e, "name", None) or "")
    known = lacks_attribute(e, m) and hasattr(m.module.Model, name)
    return name if known else ""


def lacks_attribute(e: BaseException, m: Method) -> bool:
    """Does the package read an attribute that a model of the laws does not have?"""
    if not isinstance(e, AttributeError) or e.obj is None:
        return False
    try:
        return of_laws(Path(inspect.getfile(type(e.obj))), m)
    except (TypeError, OSError):  # a built-in class
        return False


def lacks_parameter(e: BaseException, m: Method) -> bool:
    """Does the package call a method of a class that it does not define, with wrong arguments?"""
    call = CALL.match(str(e)) if isinstance(e, TypeError) else None
    if not call:
        return False
    name = m.module.__name__
    modules = [v for k, v in [*sys.modules.items()] if k == name or k.startswith(f"{name}.")]
    return not any(hasattr(module, call[1]) for module in modules)
