"""A run trained and scored in its folder. What is there already is not done again."""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.workbench.place import put
from xlm_spec.workbench.processes import Processes

LOG = "log.txt"
TRAINED = "trained"  # an empty file: the run reached its last step


def train(package: Path, run: Path, words: Sequence[object], processes: Processes) -> None:
    """Trains, or goes on from the last checkpoint. Raises Failed (X804)."""
    if (run / TRAINED).exists():
        return
    resumed = (run / "checkpoints" / "last.ckpt").exists()
    if run.exists() and not resumed:
        shutil.rmtree(run)  # it was interrupted before its first checkpoint
    run.mkdir(parents=True, exist_ok=True)
    given = ["--resume"] if resumed else words
    command = [package.name, "train", *given, "--run", run]
    answer(command, package, run / LOG, processes)
    (run / TRAINED).touch()


def evaluate(
    package: Path, run: Path, sampler: str, processes: Processes, split: str = "test"
) -> dict:
    """The figures of a sampler on a whole split. Raises Failed (X804)."""
    file = scored(run, sampler, split)
    if not file.exists():
        command = [package.name, "eval", "--run", run, "--sampler", sampler, "--split", split]
        put(file, answer([*command, "--json"], package, run / LOG, processes))
    return json.loads(file.read_text(encoding="utf-8"))


def scored(run: Path, sampler: str, split: str = "test") -> Path:
    """Where the figures of a sampler are kept."""
    return run / "figures" / f"{split}-{sampler}.json"


def answer(command: Sequence[object], package: Path, log: Path, processes: Processes) -> str:
    """What a command prints. Raises Failed (X804) with its last words where it fails."""
    code, out = processes.run(command, package, log)
    if code:
        name, word, *_ = command
        told = f"`{name} {word}` failed (exit code {code}): {last_words(log)}"
        hint = "the log tells more; the same command goes on where this one stopped"
        raise Failed(Diagnostic("X804", told, hint, str(log)))
    return out


def last_words(log: Path) -> str:
    """The last diagnostic of a log, or its last line."""
    if not log.exists():
        return "as it said above"
    text = log.read_text(encoding="utf-8", errors="replace")
    told = re.findall(r"^error\[X\d+\].*(?:\n.*= help.*)?", text, re.M)
    lines = [*text.splitlines(), *told]
    return " ".join(lines[-1].split()) if lines else "it said nothing"
