"""Custom components for random specs: those of `tests/random_files` and of the families."""

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

from family_files import family_specs

from xlm_spec.compiler.components import Component
from xlm_spec.compiler.frontend.custom.parse import custom_component
from xlm_spec.compiler.frontend.custom.registry import files_named
from xlm_spec.compiler.frontend.load import load

HERE = Path(__file__).parent
FAMILIES = HERE / "families"
NAMED = {  # place -> the folder of an axis -> files that no spec of a family names
    HERE / "random_files": {
        "head": ("magnitude", "second_logits"),
        "loss": ("alone", "pair_loss", "second_cross_entropy"),
        "target": ("drawn_tokens", "pair_counts"),
        "roll_in": ("unrolled",),
        "wrap": ("guided",),
        "corrector": ("hold",),
        "weight": ("late", "seen_share"),
        "time": ("rising",),
        "backbone": ("reads_packed",),
    },
    FAMILIES / "weights": {
        "loss": ("agree", "smoothed"),
        "target": ("clean_neighbours",),
        "time": ("curriculum",),
        "process": ("drawing_mask",),
        "weight": ("half", "rate_alone", "warm_up"),
    },
}


@cache
def custom_components() -> dict[str, tuple[Component, ...]]:
    """By the folder of the axis. `file` is the path in a folder that has all files."""
    files: dict[tuple[str, Path], None] = {}
    for place, named in NAMED.items():
        files |= {(k, place / f"{s}.py"): None for k, stems in named.items() for s in stems}
    for spec in family_specs().values():
        files |= {(a.folder, spec.parent / f): None for a, _, f in files_named(load(spec))}
    found: dict[str, list[Component]] = {}
    for folder, file in files:
        c = custom_component(file, folder)
        written = f"./{file.parent.name}/{file.name}"
        found.setdefault(folder, []).append(replace(c, file=written))
    return {folder: tuple(components) for folder, components in found.items()}


def copy_files(folder: Path) -> Path:
    """All files, in a folder where a random spec can name them."""
    for place in {*NAMED, *(spec.parent for spec in family_specs().values())}:
        shutil.copytree(place, folder / place.name, dirs_exist_ok=True)
    return folder
