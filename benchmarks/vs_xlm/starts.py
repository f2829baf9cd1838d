"""The rows about latency: the first step, --help, and the error for a misspelt key."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.runs import ROOT
from benchmarks.vs_xlm import logs, ours, peer
from benchmarks.vs_xlm.row import Row
from benchmarks.vs_xlm.rows import Bench
from benchmarks.vs_xlm.setting import SHIPPED
from benchmarks.vs_xlm.watch import Done, to_the_end, until

SOONER = 40.0
NESTED = "model:\n  num_layer: 4\n"
TOP = "optimzer:\n  lr: 0.001\n"


def starts(bench: Bench) -> Iterator[Row]:
    """Time from process start to the end of the first optimiser step, with prepared data."""
    words = peer.training(bench.commands, "arlm", SHIPPED["arlm"])
    peer_first(bench, words)
    our_first(bench)
    found = bench.alternate(ours=lambda: our_first(bench), peer=lambda: peer_first(bench, words))
    yield Row("start to the first step, arlm", "s", found["ours"], found["peer"], 2.0)


def our_first(bench: Bench) -> float:
    def begun(text: str) -> bool:
        return bool(logs.steps_done(text))

    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        words = ours.training("arlm", run, "train.log_every=1")
        env = ours.settings(bench.place)
        return until(words, run / "metrics.jsonl", begun, bench.place, env)[0]


def peer_first(bench: Bench, words: list[str]) -> float:
    def begun(text: str) -> bool:
        return bool(logs.clocked(text))

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clock"
        words = [*words, *peer.clocked(file)]
        return until(words, file, begun, bench.place, peer.settings())[0]


def helps(bench: Bench) -> Iterator[Row]:
    peers = [bench.commands / "xlm", "--help"]
    for what, words in (
        ("--help, xlm-spec and xlm", ["xlm_spec", "--help"]),
        ("--help, python -m arlm train and xlm", ["arlm", "train", "--help"]),
    ):
        yield ended(bench, what, [sys.executable, "-m", *words], peers, 0.0)


def typos(bench: Bench) -> Iterator[Row]:
    """A misspelt key of the model, at top level, and on the command line."""
    spec = (ROOT / "specs" / "arlm.yaml").read_text()
    for what, mine, more in (
        ("network", spec.replace("layers:", "layer:"), NESTED),
        ("top level", spec + TOP, TOP),
    ):
        file = bench.place / "typo.yaml"
        file.write_text(mine)
        checked = [sys.executable, "-m", "xlm_spec", "check", file]
        words = peer.experiment(bench.commands, bench.place, what.replace(" ", "_"), more)
        if what == "top level":
            yield unnoticed(bench, checked, words)
        else:
            yield ended(bench, f"misspelt key in a file, {what}", checked, words, SOONER)
    run = bench.place / "never"
    mine = [*ours.training("arlm", run), "--set", "backbone.layer=4"]
    words = peer.training(bench.commands, "arlm", SHIPPED["arlm"], "model.num_layer=4")
    yield ended(bench, "misspelt key on the command line", mine, words, SOONER)


def ended(bench: Bench, what: str, mine: Sequence, theirs: Sequence, goal: float) -> Row:
    """Seconds until each process ends; prints its last lines."""
    last: dict[str, Done] = {}

    def run(side: str, words: Sequence, env: dict[str, str]) -> float:
        last[side] = to_the_end(words, bench.place, env)
        return last[side].seconds

    env = ours.settings(bench.place)
    to_the_end(mine, bench.place, env)  # writes the bytecode, as installing did for the peer
    found = bench.alternate(
        ours=lambda: run("ours", mine, env), peer=lambda: run("peer", theirs, peer.settings())
    )
    for side, done in last.items():
        lines = done.text.splitlines()
        print(f"  {what}, {side}: {len(lines)} lines, exit {done.code}")
        if goal:
            print("".join(f"    {line[:160]}\n" for line in lines[-8:]), end="")
    return Row(what, "s", found["ours"], found["peer"], goal)


def unnoticed(bench: Bench, mine: Sequence, theirs: list[str]) -> Row:
    """Seconds to the peer's first step, because it ignores the mistake."""
    env = ours.settings(bench.place)
    found = bench.alternate(
        ours=lambda: to_the_end(mine, bench.place, env).seconds,
        peer=lambda: peer_first(bench, theirs),
    )
    message = "misspelt key in a file, top level (the peer: first step, no error)"
    return Row(message, "s", found["ours"], found["peer"], SOONER)
