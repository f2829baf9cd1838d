"""Progress of all runs: a line at the start and end of each, and a live line on a terminal.

The time left is estimated from finished trainings and evaluations, and from the logs of running
trainings.
"""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from threading import Event, RLock, Thread

LEFT = re.compile(r"left (\d+):(\d\d)$", re.M)  # as in the progress lines of training
TAIL = 4096  # bytes of a log that are read


@dataclass(frozen=True)
class Work:
    """A running process; `kind` is train or eval."""

    kind: str
    begun: float
    log: Path


class Progress:
    """Progress of `runs` runs, `jobs` at once; `waiting` counts trainings and evaluations."""

    def __init__(self, runs: int, waiting: dict[str, int], jobs: int, minutes: float | None):
        self.runs, self.waiting, self.jobs = runs, waiting, jobs
        self.expected = {"train": minutes and minutes * 60, "eval": None}
        self.taken: dict[str, list[float]] = {"train": [], "eval": []}
        self.now: dict[str, Work] = {}
        self.finished, self.lock, self.over = 0, RLock(), Event()
        self.live = sys.stderr.isatty()

    def __enter__(self) -> "Progress":
        if self.live:
            Thread(target=self.refresh, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.over.set()
        self.clear()

    @contextmanager
    def working(self, name: str, kind: str, log: Path) -> Iterator[None]:
        """Times a training or an evaluation."""
        with self.lock:
            self.waiting[kind] -= 1
            self.now[name] = Work(kind, time.monotonic(), log)
        if kind == "train":
            self.say(f"{name}: training")
        yield
        with self.lock:
            work = self.now.pop(name)
            self.taken[kind].append(time.monotonic() - work.begun)
        if kind == "train":
            self.say(f"{name}: trained in {clock(self.taken[kind][-1])}")

    def done(self, name: str) -> None:
        with self.lock:
            self.finished += 1
        self.say(f"{name}: scored, {self.finished} of {self.runs} runs done")

    def keep(self, name: str) -> None:
        """Counts a run that an earlier command finished."""
        with self.lock:
            self.finished += 1
        self.say(f"{name}: already done")

    def say(self, text: str) -> None:
        with self.lock:
            self.clear()
            print(f"{text}; {self.left()}", file=sys.stderr, flush=True)

    def left(self) -> str:
        """The time left; a lower bound until each kind of work has been timed."""
        with self.lock:
            each = {k: self.estimate(k) for k in self.waiting}
            known = all(each[k] is not None or not n for k, n in self.waiting.items())
            seconds = sum(n * (each[k] or 0) for k, n in self.waiting.items())
            seconds += sum(self.rest(w, each[w.kind]) for w in self.now.values())
            known = known and all(each[w.kind] is not None for w in self.now.values())
        time_left = clock(seconds / self.jobs)
        if not seconds:
            return "nothing left" if known else "time left unknown"
        return f"about {time_left} left" if known else f"at least {time_left} left"

    def estimate(self, kind: str) -> float | None:
        """Seconds of one training or evaluation."""
        if self.taken[kind]:
            return mean(self.taken[kind])
        if self.expected[kind]:
            return self.expected[kind]
        now = time.monotonic()
        running = [w for w in self.now.values() if w.kind == kind == "train"]
        logged = [(w, logged_time_left(w.log)) for w in running]
        totals = [now - w.begun + left for w, left in logged if left is not None]
        return mean(totals) if totals else None

    def rest(self, work: Work, whole: float | None) -> float:
        """Seconds left of a running training or evaluation."""
        left = logged_time_left(work.log) if work.kind == "train" else None
        if left is not None:
            return left
        return max(0.0, (whole or 0.0) - (time.monotonic() - work.begun))

    def refresh(self) -> None:
        while not self.over.wait(1.0):
            with self.lock:
                work = ", ".join(f"{w.kind} {name}" for name, w in self.now.items())
                line = f"{self.finished} of {self.runs} runs done; {self.left()}; {work}"
                print(f"\r\33[K{line[:110]}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self.live:
            print("\r\33[K", end="", file=sys.stderr, flush=True)


def logged_time_left(log: Path) -> float | None:
    """The time left in the last progress line of a log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL))
            found = LEFT.findall(file.read().decode(errors="replace"))
    except OSError:
        return None
    return int(found[-1][0]) * 60 + int(found[-1][1]) if found else None


def clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
