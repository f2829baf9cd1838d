"""Work on a data set that is done once: in parallel, with progress, its result in a cache."""

import hashlib
import marshal
import multiprocessing
import os
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from pickle import UnpicklingError
from types import CodeType, FunctionType, ModuleType
from typing import TypeVar

import torch

from xlm_spec.diagnostics import Diagnostic, Failed, first_line, wants_colour

A = TypeVar("A")
B = TypeVar("B")
PROCESSES = 8  # at most
PATIENCE = 2.0  # seconds of work in this process before others are started
PAUSE = 0.5  # seconds between two updates of the progress


def cache_folder() -> Path:
    """The folder for prepared data: `XLM_SPEC_CACHE`, else that of the system."""
    home = os.environ.get("XLM_SPEC_CACHE") or os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "xlm-spec"


def key_of(*what: object, code: Iterable[ModuleType] = (), classes: Iterable[type] = ()) -> str:
    """A digest of everything that determines a result, and of the files with its code.

    These are `code`, the modules of `classes` and of their bases, and what those modules that are
    no library use. Of a class without a file, as in a notebook, its functions count.
    """
    digest = hashlib.blake2b(repr(what).encode(), digest_size=12)
    bases = [base for c in classes for base in c.__mro__ if base is not object]
    modules = {b: sys.modules.get(b.__module__) for b in bases}
    for base, module in modules.items():
        if getattr(module, "__file__", None) is None:
            digest.update(b"".join(map(marshal.dumps, functions_of(base))))
    for module in (*code, *used(filter(None, modules.values()))):
        digest.update(hashlib.sha256(Path(module.__file__ or "").read_bytes()).digest())
    return digest.hexdigest()


def functions_of(kind: type) -> list[CodeType]:
    """The compiled functions and properties of a class itself."""
    parts = [vars(kind)[name] for name in sorted(vars(kind))]
    plain = [getattr(p, "fget", None) or getattr(p, "func", None) or p for p in parts]
    return [f.__code__ for f in plain if isinstance(f, FunctionType)]


def used(modules: Iterable[ModuleType]) -> list[ModuleType]:
    """The modules of users among these, and those that they use in turn, by their files."""
    found: dict[str, ModuleType] = {}
    rest = [*modules]
    while rest:
        module = rest.pop()
        file = getattr(module, "__file__", None)
        if not file or not file.endswith(".py") or is_library(file) or file in found:
            continue
        found[file] = module
        for value in vars(module).values():
            name = value.__name__ if isinstance(value, ModuleType) else None
            name = name or getattr(value, "__module__", None)
            if isinstance(name, str) and name in sys.modules:
                rest.append(sys.modules[name])
    return [found[file] for file in sorted(found)]


def is_library(file: str) -> bool:
    """Is a file part of xlm-spec, of Python or of an installed package?"""
    own = Path(__file__).parents[2]
    folders = own, *(Path(sysconfig.get_path(k)) for k in ("stdlib", "purelib", "platlib"))
    return any(Path(file).is_relative_to(folder) for folder in folders)


def is_cached(name: str) -> bool:
    return (cache_folder() / f"{name}.pt").exists()


def cached(name: str, make: Callable[[], dict]) -> dict:
    """The tensors of a file in the cache, mapped into memory; made if the file is missing.

    Raises Failed (X504) if the cache cannot be used.
    """
    file = cache_folder() / f"{name}.pt"
    content = None if file.exists() else make()
    try:
        if content is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(f".{os.getpid()}")
            torch.save(content, part)
            os.replace(part, file)
        return torch.load(file, weights_only=True, mmap=True)
    except (OSError, RuntimeError, UnpicklingError, EOFError) as e:
        message = f"cannot use the data cache: {first_line(e)}"
        hint = "delete the file, or set XLM_SPEC_CACHE to a writable folder"
        raise Failed(Diagnostic("X504", message, hint, str(file))) from None


def mapped(
    function: Callable[[A], B], parts: Iterable[A], label: str, total: int, processes: int = 0
) -> Iterator[B]:
    """`function` of each part, in their order, with progress on stderr.

    After some seconds of work other processes share the rest. `processes`: at most so many; 0: as
    many as there are CPUs. Exceptions of the function are raised here.
    """
    rest, begun, done = iter(parts), time.monotonic(), 0
    progress = Progress(label, total)
    for part in rest:
        yield function(part)
        done += 1
        progress.show(done)
        if time.monotonic() - begun > PATIENCE and total - done > 1:
            break
    number = min(processes or cpus(), PROCESSES, total - done)
    if number > 1 and "fork" in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context("fork").Pool(number) as pool:
            for result in pool.imap(function, rest):
                yield result
                done += 1
                progress.show(done)
    else:
        for part in rest:
            yield function(part)
            done += 1
            progress.show(done)
    progress.end()


def cpus() -> int:
    """The CPUs that this process may use."""
    found = getattr(os, "sched_getaffinity", None)
    return len(found(0)) if found else os.cpu_count() or 1


class Progress:
    """A line on stderr: on a terminal it is rewritten, else it is printed at each tenth."""

    def __init__(self, label: str, total: int):
        self.label, self.total, self.begun = label, max(1, total), time.monotonic()
        self.terminal = wants_colour(sys.stderr)
        self.shown, self.tenths = self.begun, 0

    def show(self, done: int) -> None:
        """Nothing is shown of work that takes no time."""
        now, share = time.monotonic(), min(1.0, done / self.total)
        if now - self.shown < PAUSE or (not self.terminal and int(10 * share) <= self.tenths):
            return
        self.shown, self.tenths = now, int(10 * share)
        left = (now - self.begun) * (1 - share) / share
        bar = f"[{'#' * int(30 * share):30}] " if self.terminal else ""
        line = f"{self.label} {bar}{share:4.0%}  left {int(left) // 60}:{int(left) % 60:02d}"
        print(f"\r{line}" if self.terminal else line, end="" if self.terminal else "\n",
              file=sys.stderr, flush=True)  # fmt: skip

    def end(self) -> None:
        if self.terminal and self.shown > self.begun:
            print(file=sys.stderr)
