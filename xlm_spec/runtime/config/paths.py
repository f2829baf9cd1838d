"""Paths in settings, resolved from the folder of the spec, of a config or from the current one."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from xlm_spec.runtime import tasks
from xlm_spec.runtime.config import choices, hub_ids
from xlm_spec.runtime.config.overrides import Setting
from xlm_spec.runtime.tasks.task import Task

NO_PATHS = ("hub", "tokenizer")  # settings that may also name what is no file


def relative_to(
    folder: Path, data: Mapping[str, Setting], keys: Iterable[str]
) -> dict[str, Setting]:
    """Settings with the paths `keys` resolved from a folder.

    Values that are no paths (the name of a task, an id on a hub) stay as they are.
    """
    resolved = dict(data)
    for key in keys:
        value = str(data.get(key) or "")
        is_path = (
            tasks.is_file(value)
            if key == "task"
            else not key.endswith(NO_PATHS) or (folder / value).exists() or value.endswith(".json")
        )
        if value and is_path:
            resolved[key] = str((folder / Path(value).expanduser()).resolve())
    return resolved


def with_paths(config: Mapping, folder: Path | None) -> dict:
    """A config with the paths of its task, weights and teacher resolved from its folder, if known.

    A file that a user writes may name the task in `data`.
    """
    data = config.get("data")
    task = config.get("task") or (data.get("task") if isinstance(data, Mapping) else None)
    found = {**config, **({"task": task} if task else {})}
    if folder is None:
        return found
    found = relative_to(folder, found, ("task",))
    for key in ("init", "teacher"):
        if found.get(key) and not hub_ids.is_hub(Path(str(found[key]))):
            found = relative_to(folder, found, (key,))
    return found


def located(settings: Mapping, folder: Path, task: Task) -> dict:
    """Settings with the paths of code, and of the data of loaders, resolved from a folder.

    `task`: that of a loader which names none. Raises Failed: X501, X505 for a loader's task.
    """
    found = choices.located(settings, folder)
    entries = found.get("data.loaders")
    entries = [entries] if isinstance(entries, Mapping) else entries
    if isinstance(entries, list):
        found["data.loaders"] = [entry_at(e, folder, task) for e in entries]
    return found


def entry_at(entry: object, folder: Path, task: Task) -> object:
    """An entry of `data.loaders` with the paths of its task and of its options."""
    if not isinstance(entry, Mapping):
        return entry
    entry = relative_to(folder, entry, ("task",))
    options = entry.get("options")
    if isinstance(options, Mapping):
        task = tasks.find(str(entry["task"])) if entry.get("task") else task
        entry["options"] = relative_to(folder, options, getattr(task, "paths", ()))
    return entry
