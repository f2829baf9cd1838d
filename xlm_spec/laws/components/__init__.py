"""The law files that ship: `<axis>/<value>_law.py`, each beside its component."""

from pathlib import Path

HERE = Path(__file__).parents[2]
PLACES = (HERE / "_templates" / "components", HERE.parent / "templates" / "components")
__path__ = [next(str(p) for p in PLACES if p.is_dir())]  # in a wheel, in a checkout
