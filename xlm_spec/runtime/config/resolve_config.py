"""The settings of a run. Precedence: --set, --config, --size, spec, defaults of the task.

Every setting has a dotted name. `backbone.*`, `noise.*`, `sampler.*` are in the package's Config,
`train.*` in the runtime's settings, `data.*` there and in the options of the task.
"""

import dataclasses
import sys
import typing
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime import tasks
from xlm_spec.runtime.config import choices, hub_ids
from xlm_spec.runtime.config.config_file import ConfigFile, settings_in
from xlm_spec.runtime.config.layers import (
    Layer,
    check_settings,
    known_settings,
    merged,
    origin_in_run,
    size_layer,
    unused,
)
from xlm_spec.runtime.config.overrides import Setting, flat, overridden
from xlm_spec.runtime.config.paths import located, relative_to, with_paths
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.config.settings import Data, Train
from xlm_spec.runtime.config.spec_file import spec_folder, written_in_spec
from xlm_spec.runtime.data.tokenizers import Tokenizer

INFERRED = "data.fill"  # what a package sets if its spec does not


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


def assignment(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        message = f"`--set {text}` has no value"
        raise Failed(Diagnostic("X602", message, "write --set KEY=VALUE, e.g. train.batch=64"))
    return key.strip(), value.strip()
