"""history.json of a run folder: every start of the run, with what it ran on and for how long.

A start has the command, the time, versions, hardware, the state of the code's git repository, and
the seconds that it took, alone and times its devices. `code-N.diff` holds uncommitted changes.
"""

import json
import os
import platform
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Thread
from typing import Any

from xlm_spec import __version__
from xlm_spec.runtime.machine.files import write

FILE = "history.json"
LIBRARIES = ("torch", "lightning", "torchmetrics", "datasets", "tokenizers", "transformers")
LARGEST = 1_000_000  # bytes of a diff
PATIENCE = 10.0  # seconds that git may take
LISTED = 20  # untracked files


def read(folder: Path) -> list[dict[str, Any]]:
    """The starts of a run, the first one first; none without the file."""
    with suppress(OSError, ValueError):
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return found if isinstance(found, list) else []
    return []


@contextmanager
def recorded(folder: Path, home: Path, command: Sequence[str], devices: int = 1) -> Iterator[None]:
    """Records a start of a run of the package in `home`; it ends with this context.

    A run that is killed has a start without an end. One that fails before it trains has none.
    """
    starts, begun, since = read(folder), time.perf_counter(), time.time()
    start: dict[str, Any] = {
        "began": now(),
        "command": [*command],
        "versions": versions(),
        "hardware": hardware(),
        "devices": devices,
    }
    starts.append(start)

    def note() -> None:
        start["git"] = git_state(home, folder / f"code-{len(starts)}.diff")
        save(folder, starts)

    save(folder, starts)
    noting = Thread(target=note)  # git may take longer than the first steps of training
    noting.start()
    outcome = "failed"
    try:
        yield
        outcome = "finished"
    except SystemExit:
        outcome = "stopped"
        raise
    finally:
        noting.join()
        if outcome == "failed" and not written_since(folder, since):
            starts.pop()
            (folder / str((start["git"] or {}).get("diff"))).unlink(missing_ok=True)
        seconds = time.perf_counter() - begun
        start |= {"ended": now(), "outcome": outcome, "wall_seconds": round(seconds, 3)}
        start["device_seconds"] = round(devices * seconds, 3)
        save(folder, starts)


def written_since(folder: Path, since: float) -> bool:
    """Has a run written its config or a figure since a time?"""
    files = [folder / name for name in ("config.yaml", "metrics.jsonl")]
    return any(f.exists() and f.stat().st_mtime >= since - 1 for f in files)


def save(folder: Path, starts: list[dict[str, Any]]) -> None:
    """A full disk does not stop a run here: its checkpoints report it."""
    with suppress(OSError):
        if not starts:
            (folder / FILE).unlink(missing_ok=True)
            return
        write(folder / FILE, json.dumps(starts, indent=2, ensure_ascii=False) + "\n")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Of Python, xlm-spec and the installed libraries."""
    found = {"python": platform.python_version(), "xlm-spec": __version__}
    for library in LIBRARIES:
        with suppress(PackageNotFoundError):
            found[library] = version(library)
    return found


def hardware() -> dict[str, Any]:
    """The system, the processor, its cores, and the GPUs."""
    import torch

    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "gpus": gpus,
    }


def processor() -> str:
    """The name of the processor."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        line = next(x for x in lines if x.startswith("model name"))
        return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def git_state(home: Path, diff: Path) -> dict[str, Any] | None:
    """The commit of the repository that holds a folder, and what is not committed; None without.

    Writes the changes of tracked files to `diff`, if there are any.
    """
    commit = git(home, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = git(home, "diff", "HEAD", "--binary") or ""
    untracked = (git(home, "ls-files", "--others", "--exclude-standard") or "").splitlines()
    state: dict[str, Any] = {
        "commit": commit.strip(),
        "branch": (git(home, "rev-parse", "--abbrev-ref", "HEAD") or "").strip(),
        "changed": bool(changed),
        "untracked": untracked[:LISTED],
    }
    if 0 < len(changed.encode()) <= LARGEST:
        with suppress(OSError):
            write(diff, changed)
            state["diff"] = diff.name
    return state


def git(folder: Path, *words: str) -> str | None:
    """The output of git; None if it fails or is not installed."""
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)
        return done.stdout.decode("utf-8", "replace")
    except (OSError, subprocess.SubprocessError):
        return None
