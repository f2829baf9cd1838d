"""Which code of a checkpoint's settings runs: a `.ckpt` file of a stranger brings none of its own.

The settings of a checkpoint name the code of its run: a task file, a manager, loaders, metrics.
`--checkpoint FILE` runs what xlm-spec ships, what the spec of the package names, and what the
command names (`--task`, `--set`). `--run` says that the run is the user's own.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime import tasks
from xlm_spec.runtime.config import choices
from xlm_spec.runtime.config.choices import OF_FILE
from xlm_spec.runtime.config.overrides import flat
from xlm_spec.runtime.config.paths import relative_to
from xlm_spec.runtime.config.settings import NAMES
from xlm_spec.runtime.config.spec_file import spec_folder

OUTPUTS = ("train.predictions", "train.loggers")  # those of a file are not used: no run folder
READ = ("data.manager", "data.loaders", "data.metrics")  # by eval, generate, export
Named = tuple[str, str]  # a setting, and the code that it names


def require_known_code(
    stored: Mapping, package, data: Mapping, task: str | None, sets: Sequence[str], file
) -> None:
    """Raises Failed (X705) if a checkpoint names code that neither the spec nor the command names.

    `stored`: its settings by dotted name, and `task`.
    """
    given = {s.partition("=")[0].strip() for s in sets}
    given |= {"data.task"} if task else set()
    folder = spec_folder(package)
    spec = relative_to(folder, data, ("task",))
    known = {kind for _, kind in named(choices.located(flat(spec, "data."), folder))}
    asked = {"data.task": stored.get("task"), **{k: stored.get(k, ()) for k in READ}}
    for key, kind in named({k: v for k, v in asked.items() if k not in given}):
        if kind not in known:
            message = f"the checkpoint names code, `{kind}` (`{key}`), which the spec does not name"
            flag = f"--task {kind}" if key == "data.task" else f"--set '{key}=...'"
            hint = f"if the run is your own, use --run {file}; else read the code, and pass {flag}"
            raise Failed(Diagnostic("X705", message, hint, str(file)))


def named(settings: Mapping) -> Iterator[Named]:
    """The code that settings of the data name beside what xlm-spec ships; the paths of files are
    absolute.
    """
    for key in READ:
        value = choices.read(settings.get(key, ()))
        for each in value if isinstance(value, list | tuple) else [value]:
            yield from ((key, k) for k in code_of(key, each))
    task = str(settings.get("data.task") or "")
    if tasks.is_file(task):
        yield "data.task", tasks.recorded(task)


def code_of(key: str, value: Any) -> Iterator[str]:
    """What a value of a setting names: its kind, those of a list in text, the task of a loader."""
    kinds = str(value.get("kind", "")) if isinstance(value, Mapping) else str(value)
    for kind in (k.strip() for k in kinds.split(",")):
        if kind and kind not in NAMES[key]:
            yield kind if not OF_FILE.fullmatch(kind) else absolute(kind)
    update = str(value.get("update") or "") if isinstance(value, Mapping) else ""
    if update:  # the update function of a metric
        yield absolute(update) if OF_FILE.fullmatch(update) else update
    task = str(value.get("task") or "") if isinstance(value, Mapping) else ""
    if tasks.is_file(task):
        yield tasks.recorded(task)


def absolute(kind: str) -> str:
    found = OF_FILE.fullmatch(kind)
    assert found
    return f"{tasks.recorded(found['file'])}:{found['name']}"
