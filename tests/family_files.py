"""The specs of the families, each beside its components: `tests/families`, and that of a guide."""

import tempfile
from functools import cache
from pathlib import Path

from code_blocks import act, shown
from methods import ROOT

HERE = Path(__file__).parent / "families"
GUIDE = ROOT / "docs" / "guides" / "a-family-of-your-own.md"  # shows all files of FlexMDM
WRITTEN = tempfile.TemporaryDirectory(prefix="xlm-spec-families-")


@cache
def family_specs() -> dict[str, Path]:
    """The spec of each family, by its name."""
    for block in shown(GUIDE.read_text(encoding="utf-8")):
        if block.action == "write" and block.file != "one_law.py":
            act(block, Path(WRITTEN.name) / "flexible")
    files = [*HERE.glob("*/*.yaml"), *Path(WRITTEN.name).glob("*/*.yaml")]
    return {f.stem: f for f in sorted(files, key=lambda f: f.stem) if f.stem == f.parent.name}
