"""Packages built, trained and evaluated in a folder of their own, each command a process."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from xlm_spec.workbench import runs
from xlm_spec.workbench.processes import Processes

ROOT = Path(__file__).parent.parent


@contextmanager
def workplace(folder: str | None = None) -> Iterator[Path]:
    """A folder for packages and runs; the checkout stays clean."""
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        yield Path(folder).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="xlm-spec-") as made:
        yield Path(made)


def command(*words: object, folder: Path, threads: int) -> str:
    """Runs `python -m ...`; returns its stdout, raises where it fails."""
    code, out = Processes(threads, shown=True).run(words, folder, None)
    if code:
        raise SystemExit(f"{' '.join(map(str, words))} failed")
    return out


def build(place: Path, *specs: str, threads: int = 1) -> None:
    """Compiles specs of this repository into the workplace."""
    files = [ROOT / "specs" / f"{s}.yaml" for s in specs]
    command("xlm_spec", "build", *files, "--into", place, folder=place, threads=threads)


def train(
    place: Path,
    name: str,
    task: str,
    minutes: float,
    seed: int = 0,
    threads: int = 1,
    show=True,
    sets: Sequence[str] = (),
    steps: int | None = None,
) -> Path:
    """Trains at size `cpu`, unless it was done before; returns the run's folder.

    `steps` instead of minutes for a machine that is not quiet: what others do changes no result.
    """
    run = place / "runs" / f"{name}-{task}-{seed}"
    budget = ["--steps", steps] if steps else ["--minutes", minutes]
    words = ["--task", task, "--size", "cpu", *budget, "--seed", seed]
    words += [w for s in sets for w in ("--set", s)]
    runs.train(place / name, run, words, Processes(threads, shown=show))
    return run


def evaluate(
    place: Path, name: str, run: Path, sampler: str, threads: int = 1, split: str = "test"
) -> dict:
    """The figures of a sampler on a whole split."""
    return runs.evaluate(place / name, run, sampler, Processes(threads, shown=True), split)


def numbers(run: Path) -> dict:
    """What config.yaml says of a run."""
    return yaml.safe_load((run / "config.yaml").read_text())
