"""The rows: each round runs xlm-spec and then the peer, as a user would run them."""

import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.vs_xlm import logs, ours, peer, setting
from benchmarks.vs_xlm.row import Row
from benchmarks.vs_xlm.setting import (
    ANSWER,
    BATCH,
    EVERY,
    METHODS,
    MINIMUM,
    SHIPPED,
    STEPS,
    TIGHT,
    WARM,
)
from benchmarks.vs_xlm.watch import to_the_end, until

TRAINING = {"arlm": 1.3, "mlm": 1.2, "ilm": 1.1}
SAMPLING = {"arlm": 4.0, "mlm": 3.0, "ilm": 3.0}
SIZES = {
    "methods": METHODS,
    "batch": BATCH,
    "width": setting.WIDTH,
    "layers": setting.LAYERS,
    "heads": setting.HEADS,
    "dropout": setting.DROPOUT,
    "vocabulary": setting.VOCABULARY,
    "tokens": setting.TOKENS,
    "shipped": SHIPPED,
    "tight": MINIMUM,
    "sets": ours.SETS,
}


@dataclass(frozen=True)
class Bench:
    place: Path  # packages of ours, the peer's environment and its data
    commands: Path  # of the peer
    rounds: int

    def alternate(self, **measure: Callable[[], dict]) -> dict[str, list]:
        """Runs each measurement once per round, alternately."""
        found: dict[str, list] = {name: [] for name in measure}
        for _ in range(self.rounds):
            for name, call in measure.items():
                found[name].append(call())
                print(f"  {name}: {found[name][-1]}", file=sys.stderr, flush=True)
        return found

    def script(self, side: str, name: str, times: int, *flags: str, **more: object) -> dict:
        """The output of a script in the environment of one side."""
        env = peer.settings() if side == "peer_side" else ours.settings(self.place)
        python = self.commands / "python" if side == "peer_side" else sys.executable
        file = Path(__file__).parent / side / f"{name}.py"
        words = [str(python), *flags, str(file), json.dumps(SIZES | {"time_grid": times} | more)]
        done = to_the_end(words, self.place, env)
        if done.code:
            raise SystemExit(f"{file.name} of {side} failed:\n{done.text}")
        return json.loads(done.text.splitlines()[-1])


def training(bench: Bench) -> Iterator[Row]:
    """Sequences per second in steady state, through the command lines of both systems."""
    for method in METHODS:
        yield from trained(bench, method)


def trained(bench: Bench, method: str) -> Iterator[Row]:
    lengths = {"shipped": SHIPPED[method], "tight": TIGHT[method]}
    found = bench.alternate(
        ours=lambda: BATCH / our_step(bench, method),
        shipped=lambda: BATCH / peer_step(bench, method, lengths["shipped"]),
        tight=lambda: BATCH / peer_step(bench, method, lengths["tight"]),
    )
    for name, blocks in lengths.items():
        label = f"training, {method}, the peer's length {name} ({sum(blocks)} positions)"
        yield Row(label, "sequences/s", found["ours"], found[name], TRAINING[method], True)


def our_step(bench: Bench, method: str) -> float:
    def enough(text: str) -> bool:
        return STEPS in logs.steps_done(text)

    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        words, env = ours.training(method, run), ours.settings(bench.place)
        _, text = until(words, run / "metrics.jsonl", enough, bench.place, env)
    return logs.a_step(logs.steps_done(text), WARM, EVERY)


def peer_step(bench: Bench, method: str, blocks: tuple[int, int]) -> float:
    def enough(text: str) -> bool:
        return STEPS in logs.clocked(text)

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clock"
        more = [f"trainer.max_steps={STEPS + 1}", *peer.clocked(file)]
        words = peer.training(bench.commands, method, blocks, *more)
        _, text = until(words, file, enough, bench.place, peer.settings())
    return logs.a_step(logs.clocked(text), WARM, EVERY)


def text(bench: Bench) -> Iterator[Row]:
    """A step of ILM on text-shaped data, with its memory, each in a separate process."""
    found = bench.alternate(
        ours=lambda: bench.script("our_side", "text", 2),
        shipped=lambda: bench.script("peer_side", "text", 1),
        plain=lambda: bench.script("peer_side", "text", 1, "-O"),
    )
    for name, label in (("shipped", "the peer as shipped"), ("plain", "the peer with python -O")):
        took, mine = ([statistics.median(f["step"]) for f in found[n]] for n in (name, "ours"))
        yield Row(f"ILM on text, {label}", "s/step", mine, took, 5.0)
        memory, mine = ([f["memory"] for f in found[n]] for n in (name, "ours"))
        yield Row(f"ILM on text, memory, {label}", "MiB", mine, memory, 4.0)
        part = [statistics.median(f["collate"]) for f in found[name]]
        print(f"  {label}: collation {statistics.median(part):.3g} s of a step")
    counts = {n: found[n][0]["parameters"] for n in ("ours", "shipped")}
    print(f"  parameters: ours {counts['ours']:,}, the peer {counts['shipped']:,}")


def sampling(bench: Bench) -> Iterator[Row]:
    """Sequences per second of the default samplers with random weights, answers only."""
    file = str(peer.write_data(bench.place))
    found = bench.alternate(
        ours=lambda: bench.script("our_side", "sampling", 4, file=file),
        peer=lambda: bench.script("peer_side", "sampling", 3, file=file),
    )
    for method in METHODS:
        mine = [f[method]["tight"] for f in found["ours"]]
        for sizes, label in (
            ("tight", f"the peer's answer length tight ({ANSWER + (method != 'ilm')} tokens)"),
            ("shipped", "the peer's answer length shipped (14 tokens)"),
            ("autograd", "the same with autograd on, as in its job_type=generate"),
        ):
            theirs = [f[method][sizes] for f in found["peer"]]
            both = [[BATCH / statistics.median(f["seconds"]) for f in x] for x in (mine, theirs)]
            goal = 0 if sizes == "autograd" else SAMPLING[method]
            yield Row(f"sampling, {method}, {label}", "sequences/s", *both, goal, True)
            calls = mine[0]["calls"], theirs[0]["calls"]
            print(f"  {method} {sizes}: NFE per batch {calls[0]:g}, the peer {calls[1]:g}")
