"""What became of a package since it was built: what was edited, what would change, what waits."""

from dataclasses import dataclass
from pathlib import Path

from xlm_spec.compiler.plan import plan_of
from xlm_spec.compiler.render import ANSWERS, LOCK, STATE, render
from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.refresh.journal import pending
from xlm_spec.refresh.merge import conflicts, same
from xlm_spec.refresh.package import asides, ignored_by_git, is_ignored
from xlm_spec.refresh.places import content, place
from xlm_spec.refresh.record import last_build
from xlm_spec.refresh.recorded import of_other_code

README = "README.md"
GENERATED = "generated"  # where packages are looked for, unless named


@dataclass(frozen=True)
class File:
    """`states`: edited, deleted, stale (a build would change it), conflicted; none: clean."""

    path: str
    states: tuple[str, ...]
    lines: tuple[int, ...] = ()  # at which conflicts begin


@dataclass(frozen=True)
class Status:
    """Of a package, against the spec that it is built from."""

    folder: Path
    spec: Path
    files: tuple[File, ...]
    warnings: tuple[Diagnostic, ...]

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
        }

    def text(self) -> str:
        """A line for each file that is not clean."""
        told = [
            (", ".join(f.states), f"{f.path}{':' * bool(f.lines)}{', '.join(map(str, f.lines))}")
            for f in self.files
            if f.states
        ]
        if not told:
            return f"{self.folder}: clean"
        clean = len(self.files) - len(told)
        told += [("clean", f"{clean} files")] * bool(clean)
        width = max(len(states) for states, _ in told)
        return "\n".join([str(self.folder), *(f"  {s:{width}}  {path}" for s, path in told)])


def status(folder: Path) -> Status:
    """Raises Failed: X410 where no package is, X403."""
    try:
        return looked_at(folder)
    except OSError as e:
        told = f"cannot read what is there: {e.strerror}"
        raise Failed(Diagnostic("X403", told, file=str(e.filename or folder))) from None


def looked_at(folder: Path) -> Status:
    answers = content(folder / ANSWERS)
    if content(folder / LOCK) is None and answers is None:
        told = "no package of xlm-spec is here"
        hint = "name its folder, such as generated/mdlm"
        raise Failed(Diagnostic("X410", told, hint, str(folder)))
    last = last_build(folder)
    warnings = [*last.warnings]
    if pending(folder):
        told = "a build of this package was killed half-way; the next one finishes it"
        warnings.append(Diagnostic("X412", told, file=str(folder), severity="warning"))
    if of_other_code(folder, (content(place(folder, README)) or b"").decode(errors="replace")):
        told, hint = "what was verified was other code", f"xlm-spec verify {folder} --record"
        readme = str(folder / README)
        warnings.append(Diagnostic("X414", told, hint, readme, severity="warning"))
    spec, new = would_be(folder, warnings)
    paths = sorted({*last.texts, *(new or {})} - {*STATE})
    if is_ignored(folder, paths):
        warnings.append(ignored_by_git(folder))
    found = [file_of(folder, p, last.texts.get(p), (new or last.texts).get(p)) for p in paths]
    stale = any("stale" in f.states for f in found)
    if new and not stale and answers is not None and not same(answers, new[ANSWERS]):
        found.append(File(ANSWERS, ("stale",)))  # of other templates, which write the same
    return Status(folder, spec, tuple(found), tuple(warnings))


def would_be(folder: Path, warnings: list[Diagnostic]) -> tuple[Path, dict[str, bytes] | None]:
    """The spec of a package, and what a build of it would write; None if it is wrong.

    The one of its name in `specs/`, beside the packages' folder; else the package's own copy.
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
    now = content(place(folder, path))
    lines = conflicts(now or b"", base or b"")
    if lines or asides(folder, path):
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
    """The one that we are in, or those in `generated/`. Raises Failed (X410): there are none."""
    here = Path()
    if (here / ANSWERS).exists() or (here / LOCK).exists():
        return [here]
    found = sorted(p.parent for p in here.glob(f"{GENERATED}/*/{ANSWERS}"))
    if not found:
        hint = "name a package's folder, or run this where generated/ is"
        raise Failed(Diagnostic("X410", f"no packages in {GENERATED}/", hint))
    return found
