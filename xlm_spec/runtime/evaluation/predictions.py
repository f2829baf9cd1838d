"""Where the samples of a run are written: `train.predictions`, a list of writers.

A writer is `file`, `logger`, `console`, or a class that derives from Writer. Every entry also has
the options `fields`, `stages` and `every`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.runtime.config.choices import OF_FILE, OF_MODULE, Choice, choice, kind_of, options_of
from xlm_spec.runtime.config.extensions import built, called, checked, named
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.config.settings import ENTRIES
from xlm_spec.runtime.data.rows import Rows
from xlm_spec.runtime.evaluation.samples import (
    FIELDS,
    SETTING,
    Field,
    Place,
    Records,
    Sample,
    plain,
    trajectory,
)
from xlm_spec.runtime.evaluation.scoring import SampleResult
from xlm_spec.runtime.evaluation.writers import LoggerWriter, Writer, loggers_get

STAGES: tuple[str, ...] = ENTRIES[SETTING]["stages"]  # validation, `eval`, `generate`
KEYS = tuple(ENTRIES[SETTING])  # of every entry
DEFAULT_FIELDS = ("prompt", "answer", "truth")


@dataclass
class Entry:
    """A writer, and what it gets when."""

    writer: Writer
    fields: dict[str, Field]
    every: int  # training steps between two validations that are written; 0: all
    written: int | None = None  # step of the last one

    def due(self, place: Place) -> bool:
        """Is a place to be written? The last validation of a run always is."""
        if not place.new or place.stage != "val":
            return place.stage != "val" or self.written == place.step
        late = self.written is None or place.step - self.written >= self.every
        if late or place.final:
            self.written = place.step
        return late or place.final


class Predictions:
    """The writers of a stage. Raises Failed: X602, X617."""

    def __init__(self, run: Run, stage: str, folder: Path | None):
        self.run = run
        given = loggers_get(folder) if folder else {"folder": None}
        given |= {"run": run}
        self.entries: list[Entry] = []
        for code in run.train.predictions:
            if stage in stages_of(code):
                self.entries.append(entry_of(code, given))
            elif stage == "val":  # training must not end with options that `eval` cannot use
                options_checked(code)
                checked(SETTING, own_of(code), given)

    @property
    def keep(self) -> bool:
        """Does any writer need whole trajectories? Then samplers keep all states."""
        fields = [f for e in self.entries for name, f in e.fields.items()]
        return any(f is trajectory or not getattr(f, "plain", False) for f in fields)

    def records(
        self,
        prompts: Sequence[str],
        result: SampleResult,
        answers: Tensor,
        truths: Tensor | None,
        place: Place,
    ) -> Records:
        """What each writer gets of a batch of samples, by its number.

        answers, truths: (B, W), padded with -1; no truths of running text and given prompts.
        """
        due = {i: e for i, e in enumerate(self.entries) if e.due(place)}
        if not due:
            return {}
        decode = self.run.task.tokenizer.decode
        rows = [[t for t in row if t >= 0] for row in answers.tolist()]
        right = [None] * len(rows) if truths is None else [
            decode([t for t in row if t >= 0]) for row in truths.tolist()
        ]  # fmt: skip
        samples = [
            Sample(self.run, result, i, *each)
            for i, each in enumerate(zip(prompts, rows, right, strict=True))
        ]
        without = {"truth"} if truths is None else set()
        return {
            i: [{k: f(s) for k, f in e.fields.items() if k not in without} for s in samples]
            for i, e in due.items()
        }

    def write(self, records: Records, place: Place, loggers: Sequence[Any] | None = None) -> None:
        """Writes a batch of samples."""
        for i, of_entry in records.items():
            writer = self.entries[i].writer
            if isinstance(writer, LoggerWriter):
                writer.loggers = loggers
            writer.write(of_entry, place)

    def close(self) -> None:
        for entry in self.entries:
            entry.writer.close()


def records_of(predictions: Predictions, rows: Rows, result: SampleResult, place: Place) -> Records:
    """What the writers get of the samples for the prompts of rows."""
    run = predictions.run
    pairs = zip(rows.prompt.tolist(), rows.prompt_length.tolist(), strict=True)
    prompts = [run.task.tokenizer.decode(prompt[:n]) for prompt, n in pairs]
    truths = rows.truths if run.task.ends else None
    return predictions.records(prompts, result, result.answers, truths, place)


def folder_of(run: Path | None) -> Path | None:
    """The run folder of `--run`, which may be a checkpoint in it."""
    within = run is not None and (run.is_file() or run.suffix == ".ckpt")
    return run.resolve().parent.parent if run and within else run


def stages_of(code: Choice) -> tuple[str, ...]:
    """The stages of an entry; only validation, unless it says more. Raises Failed (X602)."""
    value = options_of(code).get("stages", ("val",))
    values = names_in("stages", value)
    for each in values:
        if each not in STAGES:
            message = f"`{SETTING}`: `{kind_of(code)}` has no stage `{each}`"
            raise Failed(Diagnostic("X602", message, alternatives(each, STAGES)))
    return values


def names_in(key: str, value: object) -> tuple[str, ...]:
    """The option `fields` or `stages`: a name or a list of names. Raises Failed (X602)."""
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    strange = [v for v in values if not isinstance(v, str)]
    if strange or not values:
        got = f"`{strange[0]}`" if strange else "an empty list"
        known = FIELDS if key == "fields" else STAGES
        message = f"`{SETTING}`: `{key}` must be a list of names, not {got}"
        raise Failed(Diagnostic("X602", message, f"allowed: {', '.join(known)}"))
    return tuple(str(v) for v in values)


def own_of(code: Choice) -> Choice:
    """The writer, with its own options."""
    return choice(kind_of(code), {k: v for k, v in options_of(code).items() if k not in KEYS})


def entry_of(code: Choice, given: Mapping[str, Any]) -> Entry:
    """Raises Failed: X602, X617."""
    fields, every = options_checked(code)
    return Entry(built(SETTING, own_of(code), given, Writer), fields, every)


def options_checked(code: Choice) -> tuple[dict[str, Field], int]:
    """The options `fields` and `every` of an entry. Raises Failed: X602, X617."""
    options = options_of(code)
    every = options.get("every", 0)
    if not isinstance(every, int) or isinstance(every, bool) or every < 0:
        message = f"`{SETTING}`: `every` must be a number of steps, not `{every}`"
        raise Failed(Diagnostic("X602", message))
    names = names_in("fields", options.get("fields", DEFAULT_FIELDS))
    return dict(field_of(name) for name in names), every


def field_of(name: str) -> tuple[str, Field]:
    """A field, or a function of a sample by its path. Raises Failed: X602, X617."""
    if name in FIELDS:
        return name, plain(name)
    if not OF_FILE.fullmatch(name) and not OF_MODULE.fullmatch(name):
        hint = f"{alternatives(name, FIELDS)}; or an import path, or ./file.py:Name"
        raise Failed(Diagnostic("X602", f"`{SETTING}`: there is no field `{name}`", hint))
    function = named(SETTING, name)

    def read(sample: Sample) -> Any:
        return called(SETTING, name, function, sample)

    return name.rpartition(":")[2].rpartition(".")[2], read
