"""The settings of a run. Precedence: --set, --config, --size, spec, defaults of the task.

Every setting has a dotted name. `backbone.*`, `noise.*`, `sampler.*` are in the package's Config,
`train.*` in the runtime's settings, `data.*` there and in the options of the task.
"""

import dataclasses
import difflib
import inspect
import sys
import typing
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
import yaml

from xlm_spec.diagnostics import Diagnostic, Failed, Span, alternatives
from xlm_spec.runtime import tasks
from xlm_spec.runtime.config import choices, hub_ids
from xlm_spec.runtime.config.config_file import ConfigFile
from xlm_spec.runtime.config.overrides import Known, Setting, flat, nested, overridden
from xlm_spec.runtime.config.positions import ERRORS, SETTING, guard, is_limit, read, require
from xlm_spec.runtime.config.settings import Data, Train
from xlm_spec.runtime.config.spec_keys import PARAMETERS
from xlm_spec.runtime.data.tokenizers import Tokenizer
from xlm_spec.runtime.tasks.file import UserTask
from xlm_spec.runtime.tasks.task import Task

HEAD = (
    "package",
    "task",
    "size",
    "init",
    "teacher",
    "injected",
    "vocab",
)  # keys of config.yaml that are no settings
NO_PATHS = ("hub", "tokenizer")  # settings that may also name what is no file
INFERRED = "data.fill"  # what a package sets if its spec does not
STRICT = ("--config", "--set")  # layers in which an unknown name is an error
Layer = tuple[str, Mapping[str, Setting]]


@dataclass(frozen=True)
class Run:
    """A package, a task and all settings; `origin` names the layer of each that is no default."""

    package: typing.Any  # the generated package: Config, Vocab, Model, objective, SAMPLERS, NEEDS
    task: Task
    size: str
    config: typing.Any  # the package's Config
    data: Data
    train: Train
    init: str = ""  # checkpoint of the initial weights
    origin: dict[str, str] = field(default_factory=dict)
    injected: dict[str, str] = field(default_factory=dict)  # code of others -> its version
    teacher_file: str = ""  # run folder or checkpoint
    teacher: typing.Any = None  # the model, once it is loaded (runtime/weights/teacher.py)

    def __deepcopy__(self, memo: dict) -> "Run":
        return self  # it is immutable

    @property
    def name(self) -> str:
        return self.package.__name__

    @property
    def settings(self) -> dict[str, Setting]:
        """Every setting by its dotted name."""
        data = flat(self.data, "data.") | flat(self.task.options, "data.")
        return flat(self.config) | data | flat(self.train, "train.")

    def replace(self, origin: str, **train: Setting) -> "Run":
        """The run with other settings `train.*`."""
        changed = {f"train.{k}": origin for k in train}
        new = dataclasses.replace(self.train, **train)  # type: ignore[arg-type]
        return dataclasses.replace(self, train=new, origin=self.origin | changed)

    def as_dict(self) -> dict:
        """The content of config.yaml, with which `train --config` repeats the run."""
        head: dict = {"package": self.name, "task": self.data.task, "size": self.size}
        head |= {"init": self.init} if self.init else {}
        head |= {"teacher": self.teacher_file} if self.teacher_file else {}
        head |= {"injected": dict(self.injected)} if self.injected else {}
        vocab = dataclasses.asdict(self.config.vocab)
        return head | {"vocab": vocab} | nested(self.settings)


def resolve_config(
    package,
    data: Mapping[str, Setting],
    train: Mapping[str, Setting],
    task: str | None = None,
    size: str | None = None,
    config: Mapping | None = None,
    sets: typing.Sequence[str] = (),
    init: Path | None = None,
    tokenizer: Tokenizer | None = None,
    folder: Path | None = None,
    teacher: Path | None = None,
) -> Run:
    """Merges all layers. `tokenizer`: the tokenizer of a checkpoint, for tasks that derive theirs.

    Paths of code are relative to the folder of the spec, to `folder` in a config, and to the
    current one in `sets`.

    Raises Failed (X501-X508, X601-X605) before anything expensive is loaded.
    """
    file = config if isinstance(config, ConfigFile) else ConfigFile({}, "", "")
    config = with_paths(config or {}, folder)
    from_flags = dict(assignment(s) for s in sets)
    data = relative_to(spec_folder(package), data, ("task",))
    name = from_flags.get("data.task") or task or config.get("task") or data.get("task")
    name = str(name or Data.task)
    of_config = not (from_flags.get("data.task") or task) and config.get("task")
    with file.placed("data.task", "task") if of_config else nullcontext():
        found = tasks.find(name)
    known = known_settings(package, found)
    data = relative_to(spec_folder(package), data, getattr(found, "paths", ()))
    spec = located(flat(data, "data.") | flat(train, "train."), spec_folder(package), found)
    in_config = located(settings_in(config), folder or Path(), found)
    check_settings(file, in_config, known, package.__name__)
    if folder is not None:
        paths = [f"data.{k}" for k in getattr(found, "paths", ())]
        in_config = relative_to(folder, in_config, paths)
    from_flags = located(from_flags, Path(), found)
    above: list[Layer] = [("--config", in_config), ("--set", from_flags)]
    below: list[Layer] = [("task", found.defaults), ("spec", spec)]
    options, _ = merged([*below, *above], known)
    origin_of_task = {} if from_flags.get("data.task") or not task else {"data.task": "--task"}
    found = found.with_options(overridden(found.options, options, "data."), tokenizer)
    of_config = not size and config.get("size")
    size = str(size or config.get("size") or "paper")
    with file.placed("size") if of_config else nullcontext():
        size_layer(found, size)
    values, origin = merged([*below, size_layer(found, size), *above], known)
    written = written_in_spec(package)
    if written and origin.get(INFERRED) == "spec" and INFERRED not in written:
        origin[INFERRED] = "method"
    if file.of_run:
        of_new, _ = merged([*below, size_layer(found, size)], known)
        same_task = {"data.task": values.get("data.task", "")}
        origin = origin_in_run(values, origin, known.defaults | of_new | same_task)
    for line in unused(found, [below[0], size_layer(found, size)], known):
        print(line, file=sys.stderr)
    needs = tuple(n for n in package.NEEDS if n != "eos" or found.ends)  # blocks have no EOS
    vocab = package.Vocab(**found.tokenizer.vocabulary(needs))
    run = Run(
        package=package,
        task=found,
        size=size,
        config=overridden(package.Config(vocab=vocab), values),
        data=overridden(Data(), values | {"data.task": tasks.recorded(name)}, "data."),
        train=overridden(Train(), values, "train."),
        init=str(hub_ids.absolute(init) if init else config.get("init", "")),
        origin=origin | origin_of_task,
        teacher_file=str(hub_ids.absolute(teacher) if teacher else config.get("teacher", "")),
    )
    return dataclasses.replace(run, injected=choices.injected(run.settings))


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


def spec_folder(package) -> Path:
    """The folder of the spec: `.xlm/origin` holds it since the last build; else the package's."""
    home = Path(package.__file__).resolve().parent.parent
    note = home / ".xlm" / "origin"
    return home / note.read_text(encoding="utf-8").strip() if note.is_file() else home


def written_in_spec(package) -> set[str]:
    """The dotted names of all values in the spec of a package; empty if the file is missing."""
    file = Path(package.__file__).resolve().parent.parent / "spec.yaml"
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return set()
    return set(names_in(content))


def names_in(node: object, prefix: str = "") -> Iterator[str]:
    """Dotted names; the items of a list are mappings from the name of a component."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from names_in(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(node, list):
        for item in node:
            yield from names_in(item, prefix)
    else:
        yield prefix


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


def settings_in(config: Mapping) -> dict[str, Setting]:
    """The settings of a config.yaml."""
    return flat({k: v for k, v in config.items() if k not in HEAD})


def read_config(file: Path, of_run: bool = False) -> ConfigFile:
    """The content of a config.yaml. Raises Failed (X606)."""
    text, span = "", None
    try:
        text = file.read_text(encoding="utf-8-sig")
        content = yaml.safe_load(text)
        flat(content)
    except (OSError, yaml.YAMLError, UnicodeDecodeError, RecursionError) as e:
        reason = getattr(e, "strerror", None) or "not YAML"
        mark = getattr(e, "problem_mark", None)
        if mark is not None:
            span = Span(mark.line, mark.column, mark.line, mark.column + 1)
        message = f"cannot read the config: {reason}"
        raise Failed(Diagnostic("X606", message, "", str(file), span, text)) from None
    if not isinstance(content, dict):
        raise Failed(Diagnostic("X606", "the config is not a mapping", file=str(file)))
    return ConfigFile(content, str(file), text, of_run)


def assignment(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        message = f"`--set {text}` has no value"
        raise Failed(Diagnostic("X602", message, "write --set KEY=VALUE, e.g. train.batch=64"))
    return key.strip(), value.strip()


def new_model(run: Run):
    """An untrained model, with the teacher of the run outside of its parameters."""
    model = run.package.Model(run.config)
    if run.teacher is not None:
        object.__setattr__(model, "teacher", run.teacher)
    return model


def build_model(run: Run, length: int):
    """The model, tested on a sequence of `length` positions. Raises Failed (X604, X616)."""
    settings = {k: v for k, v in run.settings.items() if k.startswith("backbone.")}
    positions = settings.get(SETTING)
    try:
        model = new_model(run)
        if isinstance(positions, int) and is_limit(model, positions, partial(probe, run)):
            require("a sequence has", positions, length)
            guard(model, positions)
        probe(run, model, length)
        return model
    except ERRORS as e:
        listed = ", ".join(f"{k}={v}" for k, v in settings.items())
        message = f"cannot build a model from these settings: {e}"
        raise Failed(Diagnostic("X604", message, listed)) from e


def probe(run: Run, model, length: int) -> None:
    """Calls the model on a sequence of `length` positions.

    A model that requires more than tokens gets the rest from the objective, as in training.
    """
    arguments = inspect.signature(model.forward).parameters.values()
    if sum(p.default is p.empty for p in arguments) <= 2:
        read(model, length)
        return
    tokens = torch.zeros(1, length, dtype=torch.long)
    fixed = (torch.arange(length) == 0)[None]
    x = run.package.Examples(tokens, tokens == 0, fixed)
    with torch.no_grad():
        run.package.objective(model, x, run.config, torch.Generator())
