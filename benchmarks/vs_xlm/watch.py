"""Runs processes until a file has some content, or until they end."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Done:
    seconds: float
    text: str  # all that it printed
    code: int


def surroundings(path: str) -> dict[str, str]:
    """Environment variables of both sides; Python writes bytecode, as for a user."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}


def until(
    words: Sequence[str],
    file: Path,
    enough: Callable[[str], bool],
    folder: Path,
    env: Mapping[str, str],
) -> tuple[float, str]:
    """Seconds from the start of a process until its file passes `enough`; then kills it.

    Raises SystemExit with the output of the process if it ends earlier.
    """
    with tempfile.TemporaryFile("w+") as out:
        begun = time.perf_counter()
        process = subprocess.Popen(words, cwd=folder, env=env, stdout=out, stderr=out)
        try:
            while process.poll() is None:
                if file.exists() and enough(text := file.read_text()):
                    return time.perf_counter() - begun, text
                time.sleep(0.005)
        finally:
            process.kill()
            process.wait()
        out.seek(0)
        raise SystemExit(f"{' '.join(map(str, words))} ended:\n{out.read()[-4000:]}")


def to_the_end(words: Sequence[object], folder: Path, env: Mapping[str, str]) -> Done:
    begun = time.perf_counter()
    done = subprocess.run(
        list(map(str, words)),
        cwd=folder,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return Done(time.perf_counter() - begun, done.stdout, done.returncode)
