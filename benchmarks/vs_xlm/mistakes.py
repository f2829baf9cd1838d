"""Ten mistakes and the error messages of both systems.

python -m benchmarks.vs_xlm.mistakes [--folder DIR] [--into FILE]

For each: seconds until the process ends or has trained a step, lines printed, and whether its last
lines contain the mistake (the word, and for a file the line) and a fix (the right word or the
range).
"""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from benchmarks.runs import ROOT, workplace
from benchmarks.vs_xlm import logs, ours, peer
from benchmarks.vs_xlm.setting import SHIPPED
from xlm_spec.workbench.figures import markdown, table
from xlm_spec.workbench.machine import machine

LAST = 40  # lines that a person reads
SPEC = (ROOT / "specs" / "arlm.yaml").read_text()
TIMES = 3  # rounds; the fastest counts


@dataclass(frozen=True)
class Mistake:
    """For xlm-spec: a replacement in a spec. For the peer: lines of an experiment, or words of
    its command line."""

    what: str
    old: str
    new: str
    word: str  # the wrong word, or a pattern for both systems
    right: str  # a pattern of the fix
    lines: str = ""
    words: tuple[str, ...] = ()


MISTAKES = (
    Mistake(
        "misspelt key of the model",
        "layers:",
        "layer:",
        "layer|num_layer",
        "layers",
        "model:\n  num_layer: 4\n",
    ),
    Mistake("misspelt section", "train:", "trian:", "trian", "train", "optimzer:\n  lr: 0.001\n"),
    Mistake(
        "misspelt task",
        "star_easy",
        "star_eazy",
        "star_eazy|star_eazy_arlm",
        "star_easy",
        words=("experiment=star_eazy_arlm",),
    ),
    Mistake(
        "a word instead of a number",
        "layers: 12",
        "layers: four",
        "four",
        "number|int",
        words=("model.num_layers=four",),
    ),
    Mistake(
        "dropout of 1.5",
        "dropout: 0.1",
        "dropout: 1.5",
        "dropout",
        r"\[0, 1\)|between 0 and 1",
        words=("model.dropout=1.5",),
    ),
    Mistake(
        "a width that heads do not divide",
        "width: 768",
        "width: 130",
        "130|d_model|embed_dim",
        "multiple|divi",
        words=("model.d_model=130",),
    ),
    Mistake(
        "negative learning rate",
        "lr: 1e-4",
        "lr: -1e-4",
        "lr",
        r"\(0, inf\)|nvalid learning",
        words=("optimizer.lr=-0.0001",),
    ),
    Mistake(
        "a batch of size 0",
        "batch: 64",
        "batch: 0",
        "batch|batch_size|per_device_batch_size",
        r"\[1, inf\)|positive",
        words=("per_device_batch_size=0", "global_batch_size=0"),
    ),
    Mistake("no loss", "loss:", "lost:", "lost", "loss", words=("~loss",)),
    Mistake(
        "a duplicate key",
        "xlm_spec: 1\n",
        "xlm_spec: 1\nxlm_spec: 1\n",
        "xlm_spec|block_size",
        "twice|leave one|duplicate",
        "block_size: 16\nblock_size: 14\n",
    ),
)


@dataclass(frozen=True)
class ErrorReport:
    seconds: float
    text: str
    trained: bool

    def cells(self, side: str, m: Mistake) -> dict[str, str]:
        lines = self.text.splitlines()
        last = "\n".join(lines[-LAST:])
        named = re.search(rf"\b({m.word})\b", last) and not self.trained
        out = re.search(m.right, last) and not self.trained
        return {
            f"{side}, s": f"{self.seconds:.2f}" + " (trains)" * self.trained,
            f"{side}, lines": str(len(lines)),
            f"{side}, place": "yes" if named else "no",
            f"{side}, way out": "yes" if out else "no",
        }


def run_to_error(
    words: Sequence[object], folder: Path, env: Mapping[str, str], clock: Path
) -> ErrorReport:
    """Runs until the process ends or has trained a step; then kills it."""
    clock.unlink(missing_ok=True)
    with tempfile.TemporaryFile("w+") as out:
        begun = time.perf_counter()
        process = Popen(list(map(str, words)), cwd=folder, env=env, stdout=out, stderr=out)
        trained = False
        while process.poll() is None and not trained:
            trained = clock.exists() and bool(logs.clocked(clock.read_text()))
            time.sleep(0.005)
        seconds = time.perf_counter() - begun
        process.kill()
        process.wait()
        out.seek(0)
        return ErrorReport(seconds, out.read(), trained)


def mine(m: Mistake, place: Path, clock: Path) -> ErrorReport:
    assert m.old in SPEC, m.what
    file = place / "mistake.yaml"
    file.write_text(SPEC.replace(m.old, m.new, 1))
    check = [sys.executable, "-m", "xlm_spec", "check", file]
    return run_to_error(check, place, ours.settings(place), clock)


def theirs(m: Mistake, place: Path, commands: Path, clock: Path) -> ErrorReport:
    if m.lines:
        words = peer.experiment(commands, place, "mistake", m.lines)
    else:
        words = peer.training(commands, "arlm", SHIPPED["arlm"], *m.words)
        replaced = {w.partition("=")[0] for w in m.words}
        words = [w for w in words if w in m.words or w.partition("=")[0] not in replaced]
    return run_to_error([*words, *peer.clocked(clock)], place, peer.settings(), clock)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--folder", help="folder of the peer's environment, which is reused")
    p.add_argument("--into", type=Path, help="file for the table as Markdown")
    args = p.parse_args()
    rows = []
    with workplace(args.folder) as place, tempfile.TemporaryDirectory() as scratch:
        commands, clock = peer.environment(place), Path(scratch) / "clock"
        peer.write_data(place)
        for m in MISTAKES:
            own = min((mine(m, place, clock) for _ in range(TIMES)), key=lambda t: t.seconds)
            other = theirs(m, place, commands, clock)
            ratio = f"{other.seconds / own.seconds:.0f}"
            rows.append({"mistake": m.what} | own.cells("ours", m) | other.cells("peer", m))
            rows[-1]["sooner"] = ratio
            print(f"== {m.what}\n{own.text}\n-- the peer, {len(other.text.splitlines())} lines")
            print("\n".join(line[:160] for line in other.text.splitlines()[-LAST:]), flush=True)
        about = f"{machine(threads=1)}\npeer: {peer.versions(commands)}"
    print(f"{table(rows)}\n{about}")
    if args.into:
        args.into.write_text(f"{markdown(rows)}\n{about}\n")


if __name__ == "__main__":
    main()
