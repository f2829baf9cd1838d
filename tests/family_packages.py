"""The families as packages, and what tests read of them."""

import importlib
import shutil
import sys
from pathlib import Path

import torch
from family_files import family_specs

from xlm_spec.compiler.build import build


def family_packages(into: Path, names: list[str]) -> dict:
    """Builds families and imports them, by name."""
    built = {}
    for name in names:
        folder = shutil.copytree(family_specs()[name].parent, into / "specs" / name)
        done = build(folder / f"{name}.yaml", into)
        sys.path.insert(0, str(done.folder))
        built[name] = importlib.import_module(name)
        sys.path.remove(str(done.folder))
    return built


def folder_of(made) -> Path:
    """The folder of the modules of a package."""
    return Path(made.__file__).parent


def modules(made) -> dict[str, str]:
    """The source of each module of a package."""
    return {f.name: f.read_text() for f in folder_of(made).glob("*.py")}


def lines(made, function: str = "objective") -> list[str]:
    """The lines of a function of objective.py."""
    source = (folder_of(made) / "objective.py").read_text()
    body = source.partition(f"def {function}(")[2].partition("\n\n\n")[0]
    return [line.strip() for line in body.splitlines()]


def part(made, name: str):
    """A module of a package."""
    return importlib.import_module(f"{made.__name__}.{name}")


def model_of(made):
    """A small model, always the same, and its config."""
    torch.manual_seed(0)
    config = made.Config.small()
    return made.Model(config).eval(), config


def canvas(made, rows: int = 3, width: int = 9):
    """The input of a sampler: BOS and free positions."""
    tokens = torch.full((rows, width), made.Config.small().vocab.bos)
    fixed = torch.zeros_like(tokens, dtype=torch.bool)
    fixed[:, 0] = True
    return made.Examples(tokens, torch.ones_like(fixed), fixed)


def sampled(made, model, x, sampler: str = "") -> list:
    """The states of a sampler; of the first one without a name."""
    sample = made.SAMPLERS[sampler] if sampler else made.sample
    with torch.no_grad():
        return [*sample(model, made.Config.small(), x, torch.Generator().manual_seed(0))]
