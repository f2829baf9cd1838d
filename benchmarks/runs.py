"""Builds, trains and evaluates packages in a separate folder, each command in a process."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from xlm_spec.workbench import runs
from xlm_spec.workbench.processes import Processes

ROOT = Path(__file__).parent.parent


@contextmanager
def workplace(folder: str | None = None) -> Iterator[Path]:
    """A folder for packages and runs outside the repository."""
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        yield Path(folder).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="xlm-spec-") as made:
        yield Path(made)


def command(*words: object, folder: Path, threads: int) -> str:
    """Runs `python -m ...` and returns its stdout. Raises SystemExit if it fails."""
    code, out = Processes(threads, shown=True).run(words, folder, None)
    if code:
        raise SystemExit(f"{' '.join(map(str, words))} failed")
    return out


def build(place: Path, *specs: str, threads: int = 1) -> None:
    """Builds specs of this repository into the folder."""
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
    environment: Mapping[str, str] = {},
) -> Path:
    """Trains at size `cpu` unless already done; returns the run folder.

    `steps` replaces `minutes` on a busy machine, so that results do not depend on other processes.
    """
    run = place / "runs" / f"{name}-{task}-{seed}"
    budget = ["--steps", steps] if steps else ["--minutes", minutes]
    words = ["--task", task, "--size", "cpu", *budget, "--seed", seed]
    words += [w for s in sets for w in ("--set", s)]
    processes = Processes(threads, shown=show, environment=environment)
    runs.train(place / name, run, words, processes)
    return run


def evaluate(
    place: Path,
    name: str,
    run: Path,
    sampler: str,
    threads: int = 1,
    split: str = "test",
    environment: Mapping[str, str] = {},
) -> dict:
    """The metrics of a sampler on a whole split."""
    processes = Processes(threads, shown=True, environment=environment)
    return runs.evaluate(place / name, run, sampler, processes, split)
