"""Data sets and named loaders: which rows each stage of a run reads.

A DatasetManager prepares one data set and keeps each of its splits in memory once. A loader names
a split of a manager and the stages that read it; the same rows can serve several stages, and a
stage can read several loaders. The task of the run serves all stages; `data.loaders` adds others.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.runtime import tasks
from xlm_spec.runtime.config.choices import Choice, choice, kind_of, options_of
from xlm_spec.runtime.config.extensions import built
from xlm_spec.runtime.config.overrides import Known, overridden
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.config.settings import ENTRIES
from xlm_spec.runtime.data.rows import Rows, joined
from xlm_spec.runtime.data.streams import RecordStream
from xlm_spec.runtime.loading.layout import layout_of
from xlm_spec.runtime.tasks.task import Task

STAGES: tuple[str, ...] = ENTRIES["data.loaders"]["stages"]
SPLITS = {"train": "train", "val": "val", "test": "test", "predict": "test"}  # of a stage
KEYS = tuple(ENTRIES["data.loaders"])  # of a loader
NAME = re.compile(r"[A-Za-z][\w-]*")


class DatasetManager:
    """The data set of a task. Derive from it to prepare, split or filter data differently."""

    def __init__(self, task: Task):
        self.task = task
        self.known: dict[str, Rows] = {}

    def rows(self, split: str) -> Rows:
        """The split `train`, `val` or `test`, read once."""
        if split not in self.known:
            self.known[split] = self.read(split)
        return self.known[split]

    def read(self, split: str) -> Rows:
        """Reads a split: downloads it, prepares it, or takes it from a cache."""
        return self.task.rows(split)

    @property
    def stream(self) -> RecordStream | None:
        """The training data, if they are not held in memory."""
        return getattr(self.task, "stream", None)


@dataclass(frozen=True)
class Entry:
    """What an entry of `data.loaders` says; the loader of the run's own task has the name ""."""

    name: str = ""
    stages: tuple[str, ...] = STAGES
    split: str = ""  # "": that of the stage
    limit: int = 0  # first rows of the split; 0: all


@dataclass(frozen=True)
class Loader:
    """Rows for some stages."""

    entry: Entry
    manager: DatasetManager

    @property
    def name(self) -> str:
        return self.entry.name

    def rows(self, stage: str) -> Rows:
        rows = self.manager.rows(self.entry.split or SPLITS[stage])
        return rows.take(slice(0, self.entry.limit)) if self.entry.limit else rows


def entries_of(run: Run) -> list[Entry]:
    """All entries, that of the run's own task first. Raises Failed (X602)."""
    found = [Entry(), *map(read_entry, run.data.loaders)]
    names = [e.name for e in found]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise wrong(f"two loaders have the name `{twice}`", "give each a name of its own")
    return found


def read_entry(code: Choice) -> Entry:
    """Raises Failed (X602)."""
    options = options_of(code)
    name, split = str(options.get("name", "")), str(options.get("split", ""))
    if not NAME.fullmatch(name):
        hint = "write {kind: task, name: NAME, stages: [val]}"
        raise wrong(f"a loader requires a name of letters and digits, not `{name}`", hint)
    stages, limit = options.get("stages", ["val", "test"]), options.get("limit", 0)
    stages = tuple(stages) if isinstance(stages, list | tuple) else (str(stages),)
    for what, value, allowed in (
        *(("stage", s, STAGES) for s in stages),
        ("split", split, ("", "train", "val", "test")),
    ):
        if value not in allowed:
            known = alternatives(str(value), [a for a in allowed if a])
            raise wrong(f"loader `{name}` has no {what} `{value}`", known)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise wrong(f"`limit` of loader `{name}` is not a number of rows: `{limit}`", "")
    return Entry(name, stages, split, limit)


class Loaders:
    """The loaders of a run; managers of the same data set are one. Raises Failed: X602, X617."""

    def __init__(self, run: Run):
        self.run = run
        self.managers: dict[str, DatasetManager] = {}
        own, *others = entries_of(run)
        self.own = Loader(own, self.manager("data.manager", run.data.manager, run.task, ""))
        pairs = zip(others, run.data.loaders, strict=True)
        self.others = tuple(Loader(e, self.manager_of(e, code)) for e, code in pairs)

    def manager_of(self, entry: Entry, code: Choice) -> DatasetManager:
        options = options_of(code)
        rest = {k: v for k, v in options.items() if k not in KEYS}
        task, of = self.task(entry.name, options)
        return self.manager("data.loaders", choice(kind_of(code), rest), task, of)

    def manager(self, key: str, code: Choice, task: Task, of: str) -> DatasetManager:
        """The manager of a data set; `of` identifies it, "" is that of the run's task."""
        if "task" in options_of(code):
            message = f"`{kind_of(code)}` has no option `task`: `{key}.task`"
            raise Failed(Diagnostic("X602", message, "the task of a run is data.task"))
        which = repr((code, of))
        if which not in self.managers:
            self.managers[which] = built(key, code, {"task": task}, DatasetManager)
        return self.managers[which]

    def task(self, name: str, options: Mapping[str, Any]) -> tuple[Task, str]:
        """The task of a loader, and what identifies its data set: "" is that of the run."""
        of, changed = options.get("task"), options.get("options", {})
        if not of and not changed:
            return self.run.task, ""
        if not isinstance(changed, Mapping):
            raise wrong(f"`options` of loader `{name}` is not a mapping", "options: {file: PATH}")
        found = tasks.find(str(of)) if of else self.run.task
        base = found.options
        known = Known(("data.", base))
        values = {f"data.{k}": known.converted(f"data.{k}", v) for k, v in changed.items()}
        tokenizer = self.run.task.tokenizer
        made = found.with_options(overridden(base, values, "data."), tokenizer)
        if made.tokenizer.state != tokenizer.state:
            message = f"loader `{name}`: task `{made.name}` has another vocabulary"
            raise wrong(message, f"use data with the tokens of task `{self.run.task.name}`")
        return made, repr((of, sorted(changed.items())))

    def of(self, stage: str) -> list[Loader]:
        """The loaders of a stage, that of the task first."""
        return [x for x in (self.own, *self.others) if stage in x.entry.stages]

    def rows(self, loader: Loader, stage: str) -> Rows:
        """The rows of a loader for a stage. Raises Failed (X506) if they are too long."""
        rows, run = loader.rows(stage), self.run
        if loader.name:
            layout = layout_of(run.package, run.task, run.config.vocab, run.data.fill)
            for what, length, longest in (
                ("prompt", rows.prompt_length, layout.longest_prompt),
                ("answer", rows.answer_length, layout.longest_answer),
            ):
                if int(length.max()) > longest:
                    message = f"loader `{loader.name}` has a{'n' * (what == 'answer')} {what} of "
                    message += f"{int(length.max())} tokens; the task allows at most {longest}"
                    raise Failed(Diagnostic("X506", message))
        return rows

    @property
    def stream(self) -> RecordStream | None:
        """The training data, if they are read as they are needed. Raises Failed (X602)."""
        own, others = self.own.manager, self.of("train")[1:]
        stream = own.stream
        changed = [n for n in ("rows", "read") if overrides(own, n)]
        if stream and changed and not overrides(own, "stream"):
            kind = kind_of(self.run.data.manager)
            message = f"`data.manager`: a stream would not go through `{changed[0]}` of `{kind}`"
            hint = "override `stream` of DatasetManager too, or set data.streaming=false"
            raise Failed(Diagnostic("X602", message, hint))
        if stream and others:
            message = "`data.loaders` does not apply to the training data of a stream"
            raise Failed(Diagnostic("X602", message))
        streamed = next((x.name for x in others if x.manager.stream), None)
        if streamed is not None:
            hint = "set `streaming: false` in its options, or stream the data of the run alone"
            raise wrong(f"loader `{streamed}` of training reads a stream, which cannot join", hint)
        return stream

    def training(self) -> Rows:
        """The rows of all loaders for training."""
        parts = [self.rows(loader, "train") for loader in self.of("train")]
        if len(parts) == 1:
            return parts[0]
        if len({p.segments is None for p in parts}) > 1:
            raise wrong("packed documents cannot be mixed with other training data", "")
        return joined([p.take(slice(None)) for p in parts])


def overrides(manager: DatasetManager, name: str) -> bool:
    """Has the class of a manager its own method of this name?"""
    return getattr(type(manager), name) is not getattr(DatasetManager, name)


def wrong(message: str, hint: str) -> Failed:
    return Failed(Diagnostic("X602", f"`data.loaders`: {message}", hint))
