"""Verifies specs and packages: tests the laws of their methods (xlm_spec/laws)."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from xlm_spec import laws
from xlm_spec.compiler.build import build
from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.refresh.verified_section import code_hash


@dataclass(frozen=True)
class Verified:
    """The results of all laws for a package."""

    target: str  # as given on the command line
    results: list[laws.Result]
    claims: list[laws.Claim]
    seconds: float
    code: str  # the hash of the code that was verified (`refresh.verified_section`)
    partly: bool = False  # only some laws were tested, which gives no verdict on claims

    @property
    def broken(self) -> bool:
        """Is any law violated, or its test meaningless?"""
        return any(r.broken for r in self.results)

    @property
    def sound(self) -> bool:
        """No law is broken, every law was evaluated, and every component has one."""
        return not any(r.broken or r.status in NOT_TESTED for r in self.results)

    @property
    def counted(self) -> str:
        """The number of results of each status, in words."""
        counts = {s: sum(r.status == s for r in self.results) for s in STATUSES}
        return ", ".join(f"{n} {s}" for s, n in counts.items() if n)

    def text(self, quiet: bool = False) -> str:
        """A line for each claim and each result.

        With `quiet` only for claims that are not proved, and laws that do not hold.
        """
        head = f"{self.target}: {self.counted} ({self.seconds:.1f} s)"
        claims = [c for c in self.claims if not quiet or c.verdict != "proved"]
        shown = [r for r in self.results if not quiet or r.status not in ("held", "n/a")]
        none = [] if quiet or self.claims or self.partly else ["  claims: none"]
        lines = [*(f"  claim: {c.line()}" for c in claims), *none]
        return "\n".join([head, *lines, *(f"  {line}" for line in folded(shown))])

    def as_json(self) -> dict:
        results = [r.as_json() for r in self.results]
        return {
            "target": self.target,
            "sound": self.sound,
            "seconds": self.seconds,
            "claims": [c.as_json() for c in self.claims],
            "laws": results,
        }


def folded(results: list[laws.Result]) -> list[str]:
    """A line for each result; one for all laws that were not tested for the same reason."""
    lines, untested = [], Counter(r.why for r in results if r.why.startswith(laws.NOT_TESTED))
    for r in results:
        count = untested.pop(r.why, 0) if r.why.startswith(laws.NOT_TESTED) else 1
        if count == 1:
            lines.append(r.line())
        elif count:
            lines.append(f"{r.status:8}  {count} laws: {r.why}")
    return lines


STATUSES = ("failed", "silent", "error", "unverified", "warned", "held", "n/a")
NOT_TESTED = ("error", "unverified")


def verify(target: str, only: Sequence[str] = ()) -> Verified:
    """Verifies a spec, built in a temporary folder, or a package. Raises Failed.

    `only`: parts of the names of the laws to test, by default all.
    """
    if Path(target).is_dir():
        return verify_folder(target, Path(target).resolve(), only)
    with tempfile.TemporaryDirectory(prefix="xlm-spec-verify-") as folder:
        return verify_folder(target, build(target, folder).folder, only)


def verify_folder(target: str, folder: Path, only: Sequence[str] = ()) -> Verified:
    start, code = time.monotonic(), code_hash(folder)
    with single_thread():
        method = load_package(folder)
        results = [*tested(method, only)] if only else [*laws.verify(method)]
    claims = [] if only else laws.claims_of(method, results)
    seconds = round(time.monotonic() - start, 1)
    return Verified(target, results, claims, seconds, code, partly=bool(only))


def tested(m: laws.Method, only: Sequence[str]) -> Iterator[laws.Result]:
    """The results of the named laws, and of a basic law that does not hold."""
    named = {each.name for each in laws.LAWS if any(part in each.name for part in only)}
    for r in laws.verify(m, [each for each in laws.LAWS if each.basic or each.name in named]):
        if r.law in named or r.broken:
            yield r


def load_package(folder: Path) -> laws.Method:
    """The method of a package. Raises Failed: X410, X411."""
    try:
        return laws.load_package(folder)
    except laws.NoPackage:
        message = "not an xlm-spec package, or its .copier-answers.yml can't be read"
        hint = "give a spec or the folder of a package, such as generated/mdlm"
        raise Failed(Diagnostic("X410", message, hint, str(folder))) from None
    except laws.Unusable as e:
        message, path = e.args
        raise Failed(Diagnostic("X411", message, file=str(path))) from None


@contextmanager
def single_thread() -> Iterator[None]:
    """Limits torch to one thread, which is fastest for small tensors."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
