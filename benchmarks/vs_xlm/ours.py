"""xlm-spec: its packages and commands."""

import os
import sys
from pathlib import Path

from benchmarks.runs import ROOT
from benchmarks.vs_xlm.setting import BATCH, DROPOUT, EVERY, HEADS, LAYERS, METHODS, STEPS, WIDTH
from benchmarks.vs_xlm.watch import surroundings

HERE = Path(__file__).parent
SETS = (
    f"backbone.width={WIDTH}",
    f"backbone.layers={LAYERS}",
    f"backbone.heads={HEADS}",
    f"backbone.dropout={DROPOUT}",
    "data.format=edges",
)
RUN = (f"train.batch={BATCH}", f"train.evaluate_every={STEPS + 1}", f"train.log_every={EVERY}")


def settings(place: Path) -> dict[str, str]:
    """Environment variables of an xlm-spec process."""
    path = os.pathsep.join(map(str, (ROOT, HERE, *(place / m for m in METHODS))))
    return surroundings(path)


def training(method: str, run: Path, *more: str, steps: int = STEPS) -> list[str]:
    """The command line of training at size `paper`: the backbone of the spec."""
    sets = [w for s in (*SETS, *RUN, *more) for w in ("--set", s)]
    words = ["train", "--task", "star_easy", "--steps", str(steps), "--run", str(run), *sets]
    return [sys.executable, "-m", method, *words]
