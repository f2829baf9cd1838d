"""Packages built, trained and evaluated in a folder of their own, each command a process."""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

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


def command(*words: object, folder: Path, threads: int, show: bool = True) -> str:
    """Runs `python -m ...`; returns its stdout, raises where it fails."""
    env = os.environ | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=folder,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=None if show else subprocess.PIPE,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))} failed:\n{done.stderr or ''}")
    return done.stdout


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
    done = run / "done"
    if not done.exists():
        budget = ["--steps", steps] if steps else ["--minutes", minutes]
        words = ["train", "--task", task, "--size", "cpu", *budget, "--seed", seed]
        words += [w for s in sets for w in ("--set", s)]
        again = ["train", "--resume"] if (run / "checkpoints" / "last.ckpt").exists() else words
        command(name, *again, "--run", run, folder=place / name, threads=threads, show=show)
        done.touch()
    return run


def evaluate(
    place: Path, name: str, run: Path, sampler: str, threads: int = 1, split: str = "test"
) -> dict:
    """The figures of a sampler on a whole split."""
    words = ["eval", "--run", run, "--sampler", sampler, "--split", split, "--json"]
    return json.loads(command(name, *words, folder=place / name, threads=threads))


def numbers(run: Path) -> dict:
    """What config.yaml says of a run."""
    import yaml

    return yaml.safe_load((run / "config.yaml").read_text())


def spread(values: list[float], form: str = "{:.1f}") -> str:
    """mean ± standard deviation over seeds."""
    mean = form.format(statistics.mean(values))
    return f"{mean} ± {form.format(statistics.stdev(values))}" if len(values) > 1 else mean


def machine(threads: int) -> str:
    import torch

    name = platform.processor() or platform.machine()
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        lines = [line for line in cpu.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].partition(": ")[2] if lines else name
    cores = os.cpu_count()
    return f"{name}, {cores} cores, {threads} thread(s), torch {torch.__version__}"


def table(rows: list[dict[str, object]]) -> str:
    """Rows as aligned columns."""
    heads = list(rows[0])
    cells = [heads, *([str(r[h]) for h in heads] for r in rows)]
    wide = [max(len(line[i]) for line in cells) for i in range(len(heads))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, wide, strict=True)) for line in cells]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])
