"""Training and evaluation of a run in its folder. Finished parts are not repeated."""

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.workbench.folder import write_whole
from xlm_spec.workbench.processes import Processes

LOG = "log.txt"
TRAINED = "trained"  # an empty file that marks a finished training


def train(package: Path, run: Path, words: Sequence[object], processes: Processes) -> None:
    """Trains, or resumes from the last checkpoint. Raises Failed (X804)."""
    if (run / TRAINED).exists():
        return
    resumed = (run / "checkpoints" / "last.ckpt").exists()
    if run.exists() and not resumed:
        shutil.rmtree(run)  # it was interrupted before its first checkpoint
    run.mkdir(parents=True, exist_ok=True)
    flags = ["--resume"] if resumed else words
    command = [package.name, "train", *flags, "--run", run]
    answer(command, package, run / LOG, processes)
    (run / TRAINED).touch()


def evaluate(
    package: Path,
    run: Path,
    sampler: str,
    processes: Processes,
    split: str = "test",
    judge: str = "",
) -> dict:
    """The metrics of a sampler on a whole split. Raises Failed (X804)."""
    file = scored(run, sampler, split, judge)
    if not file.exists():
        command = [package.name, "eval", "--run", run, "--sampler", sampler, "--split", split]
        command += ["--judge", judge] if judge else []
        write_whole(file, answer([*command, "--json"], package, run / LOG, processes))
    return json.loads(file.read_text(encoding="utf-8"))


def scored(run: Path, sampler: str, split: str = "test", judge: str = "") -> Path:
    """The file with the metrics of a sampler."""
    return run / "figures" / f"{split}-{sampler}{of_judge(judge)}.json"


def of_judge(judge: str) -> str:
    """The part of the name of a file whose figures a judge made."""
    return f"-{hashlib.sha256(judge.encode()).hexdigest()[:8]}" if judge else ""


def answer(command: Sequence[object], package: Path, log: Path, processes: Processes) -> str:
    """The output of a command. Raises Failed (X804) with its last message if it fails."""
    code, out = processes.run(command, package, log)
    if code:
        name, word, *_ = command
        message = f"`{name} {word}` failed (exit code {code}): {last_message(log)}"
        hint = "see the log; run the same command again to continue"
        raise Failed(Diagnostic("X804", message, hint, str(log)))
    return out


def last_message(log: Path) -> str:
    """The last diagnostic of a log, or its last line."""
    if not log.exists():
        return "see the output above"
    text = log.read_text(encoding="utf-8", errors="replace")
    errors = re.findall(r"^error\[X\d+\].*(?:\n.*= help.*)?", text, re.M)
    lines = [*text.splitlines(), *errors]
    return " ".join(lines[-1].split()) if lines else "no output"
