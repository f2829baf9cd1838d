"""The shipped components: files `templates/components/<folder>/<value>.py`."""

from functools import cache
from pathlib import Path

from xlm_spec.compiler.components.model import Component
from xlm_spec.compiler.components.reader import read

HERE = Path(__file__).parent.parent.parent
TEMPLATES = HERE / "_templates"  # in the wheel
if not TEMPLATES.is_dir():
    TEMPLATES = HERE.parent / "templates"  # in a checkout
COMPONENTS = TEMPLATES / "components"
LAW = "_law"  # `<value>_law.py`, beside a component, holds its laws (xlm_spec/laws)


@cache
def values(folder: str) -> tuple[str, ...]:
    """The shipped values of an axis, from its files."""
    found = (p.stem for p in (COMPONENTS / folder).glob("*.py"))
    return tuple(sorted(v for v in found if v != "__init__" and not v.endswith(LAW)))


@cache
def component(folder: str, value: str) -> Component:
    """A shipped component; `folder` is "" for the libraries `types` and `ops`."""
    return read((COMPONENTS / folder / f"{value}.py").read_text(encoding="utf-8"), folder, value)
