"""What became of a package since it was built: what was edited, what would change, what waits."""

from dataclasses import dataclass
from pathlib import Path

from xlm_spec.compiler.plan import plan_of
from xlm_spec.compiler.render import ANSWERS, LOCK, STATE, render
from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.refresh.merge import conflicts, same
from xlm_spec.refresh.outcome import ASIDE
from xlm_spec.refresh.package import ignored_by_git, is_ignored
from xlm_spec.refresh.places import content, place
from xlm_spec.refresh.record import last_build

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
    if content(folder / LOCK) is None and content(folder / ANSWERS) is None:
        told = "no package of xlm-spec is here"
        hint = "name its folder, such as generated/mdlm"
        raise Failed(Diagnostic("X410", told, hint, str(folder)))
    last, spec = last_build(folder), spec_of(folder)
    warnings = [*last.warnings, *([ignored_by_git(folder)] if is_ignored(folder) else [])]
    try:
        new = render(plan_of(spec))
    except Failed as e:
        new = last.texts
        warnings += e.diagnostics
    paths = sorted({*last.texts, *new} - {*STATE})
    files = tuple(file_of(folder, p, last.texts.get(p), new.get(p)) for p in paths)
    return Status(folder, spec, files, tuple(warnings))


def file_of(folder: Path, path: str, base: bytes | None, new: bytes | None) -> File:
    now = content(place(folder, path))
    states = []
    if now is None:
        states += ["deleted"] * (base is not None)
    elif base is None or not same(now, base):
        states.append("edited")
    if new != base:
        states.append("stale")
    lines = conflicts(now or b"")
    if lines or (folder / (path + ASIDE)).exists():
        states = ["conflicted"]
    return File(path, tuple(states), lines)


def spec_of(folder: Path) -> Path:
    """The spec of that name beside the packages' folder, else the package's own copy."""
    home = folder.resolve()
    beside = home.parent.parent / "specs" / f"{home.name}.yaml"
    if beside.is_file():
        here = Path.cwd().resolve()
        return beside.relative_to(here) if beside.is_relative_to(here) else beside
    return folder / "spec.yaml"


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
