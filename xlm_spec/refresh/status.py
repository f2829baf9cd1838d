"""The state of a package since its last build: files edited, stale or with conflicts."""

from dataclasses import dataclass
from pathlib import Path

from xlm_spec.compiler.emit.render import render
from xlm_spec.compiler.emit.state import ANSWERS, LOCK, STATE
from xlm_spec.compiler.plan import plan_of
from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.refresh.disk import content, real_path
from xlm_spec.refresh.journal import pending
from xlm_spec.refresh.merge import conflicts, same
from xlm_spec.refresh.package import ignored_by_git, is_ignored, reject_files
from xlm_spec.refresh.record import last_build
from xlm_spec.refresh.verified_section import README, is_outdated, recorded_claims, with_results

GENERATED = "generated"  # the default folder of packages


@dataclass(frozen=True)
class File:
    """`states`: edited, deleted, stale (a build would change it), conflicted; empty if clean."""

    path: str
    states: tuple[str, ...]
    lines: tuple[int, ...] = ()  # first lines of conflicts


@dataclass(frozen=True)
class Status:
    """A package compared with its last build and with its spec."""

    folder: Path
    spec: Path
    files: tuple[File, ...]
    warnings: tuple[Diagnostic, ...]
    claims: tuple[str, ...] = ()  # of the last recorded verification, with their verdicts

    @property
    def conflicted(self) -> bool:
        return any("conflicted" in f.states for f in self.files)

    def as_json(self) -> dict:
        files = [
            {"file": f.path, "status": [*f.states] or ["clean"], "lines": [*f.lines]}
            for f in self.files
        ]
        warnings = [d.as_json() for d in self.warnings]
        return {
            "package": str(self.folder),
            "spec": str(self.spec),
            "files": files,
            "warnings": warnings,
            "claims": [*self.claims],
        }

    def text(self) -> str:
        """A line for each file that is not clean."""
        rows = [
            (", ".join(f.states), f"{f.path}{':' * bool(f.lines)}{', '.join(map(str, f.lines))}")
            for f in self.files
            if f.states
        ]
        if not rows:
            return f"{self.folder}: clean"
        clean = len(self.files) - len(rows)
        rows += [("clean", f"{clean} files")] * bool(clean)
        width = max(len(states) for states, _ in rows)
        return "\n".join([str(self.folder), *(f"  {s:{width}}  {path}" for s, path in rows)])


def status(folder: Path) -> Status:
    """Raises Failed: X410 if the folder is not a package, X403 if a file cannot be read."""
    try:
        return status_of(folder)
    except OSError as e:
        message = f"cannot read the file: {e.strerror}"
        raise Failed(Diagnostic("X403", message, file=str(e.filename or folder))) from None


def status_of(folder: Path) -> Status:
    answers = content(folder / ANSWERS)
    if content(folder / LOCK) is None and answers is None:
        message = "not a package of xlm-spec"
        hint = "name the folder of a package, such as generated/mdlm"
        raise Failed(Diagnostic("X410", message, hint, str(folder)))
    last = last_build(folder)
    warnings = [*last.warnings]
    if pending(folder):
        message = "the last build was interrupted; the next build completes it"
        warnings.append(Diagnostic("X412", message, file=str(folder), severity="warning"))
    readme = (content(real_path(folder, README)) or b"").decode(errors="replace")
    if is_outdated(folder, readme):
        message = "the code has changed since it was verified"
        hint, path = f"xlm-spec verify {folder} --record", str(folder / README)
        warnings.append(Diagnostic("X414", message, hint, path, severity="warning"))
    spec, new = fresh_build(folder, warnings)
    paths = sorted({*last.texts, *(new or {})} - {*STATE})
    if is_ignored(folder, paths):
        warnings.append(ignored_by_git(folder))
    found = [file_of(folder, p, last.texts.get(p), (new or last.texts).get(p)) for p in paths]
    stale = any("stale" in f.states for f in found)
    if new and not stale and answers is not None and not same(answers, new[ANSWERS]):
        found.append(File(ANSWERS, ("stale",)))  # other templates with the same result
    return Status(folder, spec, tuple(found), tuple(warnings), recorded_claims(readme))


def fresh_build(folder: Path, warnings: list[Diagnostic]) -> tuple[Path, dict[str, bytes] | None]:
    """The spec of a package, and the files that a build would write; None if the spec is invalid.

    The spec is `specs/<name>.yaml` beside the folder of packages, or else the package's own copy.
    """
    home = folder.resolve()
    spec = home.parent.parent / "specs" / f"{home.name}.yaml"
    try:
        if spec.is_file():
            plan = plan_of(spec)
            if plan.name == home.name:
                here = Path.cwd().resolve()
                return spec.relative_to(here) if spec.is_relative_to(here) else spec, render(plan)
        spec = folder / "spec.yaml"
        return spec, render(plan_of(spec))
    except Failed as e:
        warnings += e.diagnostics
        return spec, None


def file_of(folder: Path, path: str, base: bytes | None, new: bytes | None) -> File:
    now = content(real_path(folder, path))
    base, new = with_results(path, base, now), with_results(path, new, now)
    lines = conflicts(now or b"", base or b"")
    if lines or reject_files(folder, path):
        return File(path, ("conflicted",), lines)
    states = []
    if now is None:
        states += ["deleted"] * (base is not None)
    elif base is None or not same(now, base):
        states.append("edited")
    if new != base and (now is None or new is None or not same(now, new)):
        states.append("stale")
    return File(path, tuple(states))


def packages() -> list[Path]:
    """The package in this folder, or all in `generated/`. Raises Failed (X410) if there is none."""
    here = Path()
    if (here / ANSWERS).exists() or (here / LOCK).exists():
        return [here]
    found = sorted(p.parent for p in here.glob(f"{GENERATED}/*/{ANSWERS}"))
    if not found:
        hint = "name the folder of a package, or run this in the folder that holds generated/"
        raise Failed(Diagnostic("X410", f"no packages in {GENERATED}/", hint))
    return found
