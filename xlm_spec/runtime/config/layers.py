"""The layers of settings: what each may set, and which one gives the value of a setting."""

import dataclasses
import difflib
import typing
from collections.abc import Iterable, Mapping
from contextlib import nullcontext

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.runtime.config import choices
from xlm_spec.runtime.config.config_file import ConfigFile
from xlm_spec.runtime.config.overrides import Known, Setting
from xlm_spec.runtime.config.settings import Data, Train
from xlm_spec.runtime.config.spec_keys import PARAMETERS
from xlm_spec.runtime.tasks.file import UserTask
from xlm_spec.runtime.tasks.task import Task

STRICT = ("--config", "--set")  # layers in which an unknown name is an error
Layer = tuple[str, Mapping[str, Setting]]


def known_settings(package, task: Task) -> Known:
    """Every setting of a package, a task and the runtime, with its default."""
    config = package.Config(vocab=package.Vocab(size=0))  # the settings do not depend on it
    sections = ("", config), ("data.", Data()), ("data.", task.options), ("train.", Train())
    return Known(*sections)


def size_layer(task: Task, size: str) -> Layer:
    """The settings of a size. Raises Failed (X605)."""
    if size not in task.sizes:
        message = f"task `{task.name}` has no size `{size}`"
        raise Failed(Diagnostic("X605", message, alternatives(size, task.sizes)))
    return f"size {size}", task.sizes[size]


def unused(task: Task, layers: Iterable[Layer], known: Known) -> list[str]:
    """A line for each setting of a task that this package lacks, but another one may have.

    Raises Failed (X505) for misspelt settings in the file of a user's task.
    """
    lines, wrong = [], list[Diagnostic]()
    for name, layer in layers:
        origin = f"the task's {'defaults' if name == 'task' else name}"
        for key, value in layer.items():
            if key in known.defaults or choices.owner_of(key):
                continue
            if isinstance(task, UserTask) and misspelt(key, known):
                message = f"unknown setting `{key}` in {origin}"
                wrong.append(task.at(f'"{key}"', message, alternatives(key, known.defaults)))
            else:
                line = f"not used: {key}={value} of {origin}; this package has no such setting"
                lines.append(line)
    if wrong:
        raise Failed(wrong)
    return lines


def misspelt(key: str, known: Known) -> bool:
    """True if no package has this setting. Custom components may have names of their own."""
    section, _, last = key.partition(".")[0], *key.rpartition(".")[1:]
    if section not in PARAMETERS or section == key:
        return True
    shipped = PARAMETERS[section]
    here = {k.rpartition(".")[2] for k in known.defaults if k.startswith(f"{section}.")}
    alike = difflib.get_close_matches(last, {*shipped, *here}, 1, 0.8)
    return last not in shipped and bool(alike)


def merged(layers: Iterable[Layer], known: Known) -> tuple[dict[str, Setting], dict[str, str]]:
    """Each setting of a layer with its last value, and the name of the layer that gives it."""
    values: dict[str, Setting] = {}
    origin: dict[str, str] = {}
    for name, layer in layers:
        for key, value in sorted(layer.items(), key=lambda item: bool(choices.owner_of(item[0]))):
            owner = choices.owner_of(key)
            if owner:  # an option, which is set after its owner
                old = typing.cast(choices.Choice, values.get(owner, known.defaults[owner]))
                option = key.removeprefix(f"{owner}.")
                values[owner] = choices.with_option(owner, old, option, value)
                origin[key] = name
            elif key in known.defaults or name in STRICT:
                values[key] = known.converted(key, value)
                origin[key] = name
                for option in [k for k in origin if choices.owner_of(k) == key]:
                    del origin[option]  # of a value that this one replaces
    return values, origin


def check_settings(
    file: ConfigFile, settings: Mapping[str, Setting], known: Known, package: str
) -> None:
    """Raises Failed (X601-X603) with the place of each wrong setting of a config."""
    wrong: list[Diagnostic] = []
    for key, value in settings.items():
        try:
            with file.placed(key) if file.file else nullcontext():
                merged([(STRICT[0], {key: value})], known)
        except Failed as e:
            wrong += e.diagnostics
    of, unknown = file.get("package", package), [d for d in wrong if d.code == "X601"]
    if unknown and of != package:
        message = f"the config is of package `{of}`, not of `{package}`: {unknown[0].message}"
        hint = f"use it with `python -m {of}`, or delete the settings that `{package}` lacks"
        raise Failed(dataclasses.replace(unknown[0], message=message, hint=hint))
    if wrong:
        raise Failed(sorted(wrong, key=lambda d: d.order))


def origin_in_run(
    values: Mapping[str, Setting], origin: Mapping[str, str], other: Mapping[str, Setting]
) -> dict[str, str]:
    """The origins in a run that is resumed: `run` for what differs from the settings `other`.

    `other`: those of a new run of the same task and size. What is equal has no origin.
    """
    return {
        key: "run" if name == STRICT[0] else name
        for key, name in origin.items()
        if name != STRICT[0] or values.get(key) != other.get(key)
    }
