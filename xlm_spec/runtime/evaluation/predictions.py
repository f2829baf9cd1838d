"""Where the samples of a run are written: `train.predictions`, a list of writers.

A writer is `file`, `logger`, `console`, or a class that derives from Writer. Every entry also has
the options `fields`, `stages` and `every`.
"""

import dataclasses
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives, first_line
from xlm_spec.runtime.config.choices import OF_FILE, OF_MODULE, Choice, choice, kind_of, options_of
from xlm_spec.runtime.config.extensions import FOLDER, built, called, checked, named
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.config.settings import ENTRIES
from xlm_spec.runtime.data.rows import Rows
from xlm_spec.runtime.evaluation.scoring import SampleResult

SETTING = "train.predictions"
STAGES: tuple[str, ...] = ENTRIES[SETTING]["stages"]  # validation, `eval`, `generate`
FIELDS: tuple[str, ...] = ENTRIES[SETTING]["fields"]
KEYS = tuple(ENTRIES[SETTING])  # of every entry
DEFAULT_FIELDS = ("prompt", "answer", "truth")
PRINTED = 3  # samples at a time on the console
LOGGED = 8  # samples at a time in a logger


@dataclass(frozen=True)
class Place:
    """Where samples come from."""

    stage: str  # of STAGES
    step: int  # training step of the weights
    loader: str = ""  # "": that of the task
    sampler: str = ""  # "": the first one, in validation
    rank: int = 0
    new: bool = True  # the first samples of this stage, loader and step
    final: bool = True  # the last validation of the run

    @property
    def name(self) -> str:
        """E.g. `val-other`, `test-confidence`."""
        return "-".join(filter(None, (self.stage, self.loader, self.sampler)))


@dataclass(frozen=True)
class Sample:
    """A sample, as functions of `fields` see it."""

    run: Run
    result: SampleResult
    row: int  # in the batch
    prompt: str
    ids: list[int]  # of the answer
    truth: str | None = None  # running text has none

    @property
    def answer(self) -> str:
        return self.run.task.tokenizer.decode(self.ids)

    @property
    def tokens(self) -> list[int]:
        return self.ids

    @property
    def steps(self) -> int:
        """Decoding steps of the batch."""
        return self.result.steps

    @property
    def network_calls(self) -> int:
        return self.result.calls

    @property
    def trajectory(self) -> list[str]:
        """The free positions of each state; masked ones are `_`."""
        tokenizer, vocab = self.run.task.tokenizer, dataclasses.asdict(self.run.config.vocab)
        found = []
        for state in self.result.states:
            free = state.valid[self.row] & ~state.fixed[self.row]
            shown = [tokenizer.show(t, vocab) for t in state.tokens[self.row][free].tolist()]
            found.append(tokenizer.joint.join(filter(None, shown)))
        return found


Field = Callable[[Sample], Any]
Records = Mapping[int, Sequence[Mapping[str, Any]]]


class Writer:
    """Writes samples. Derive from it to write them elsewhere."""

    def write(self, records: Sequence[Mapping[str, Any]], place: Place) -> None:
        """Records of the entry's `fields`, in the order of the examples."""
        raise NotImplementedError

    def close(self) -> None:
        """Called after the last samples of `eval` and `generate`."""


class FileWriter(Writer):
    """`predictions/STAGE-STEP-RANK.jsonl` in the run folder, or in `folder`: an object a line."""

    def __init__(self, folder: Path | str | None) -> None:
        self.folder: Path | None = None
        if isinstance(folder, str):  # an option; the run folder is a Path
            self.folder = Path(folder)
        elif folder is not None:
            self.folder = folder / "predictions"

    def write(self, records: Sequence[Mapping[str, Any]], place: Place) -> None:
        """Raises Failed (X602) if there is no folder."""
        if self.folder is None:
            message = f"`{SETTING}`: without --run, `file` requires a folder"
            raise Failed(Diagnostic("X602", message, "write {kind: file, folder: DIR}"))
        file = self.folder / f"{place.name}-{place.step:07d}-{place.rank}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        pairs = [[f"{json.dumps(k)}: {json_of(k, v)}" for k, v in r.items()] for r in records]
        lines = [f"{{{', '.join(each)}}}\n" for each in pairs]
        with file.open("w" if place.new else "a", encoding="utf-8", newline="\n") as out:
            out.writelines(lines)


class ConsoleWriter(Writer):
    """The first `limit` samples on stderr, a line each."""

    def __init__(self, *, limit: int = PRINTED) -> None:
        self.limit = limit

    def write(self, records: Sequence[Mapping[str, Any]], place: Place) -> None:
        if not place.new or place.rank:
            return
        for record in records[: self.limit]:
            shown = "  ".join(f"{k} {json_of(k, v, False)}" for k, v in record.items())
            print(f"{place.name} step {place.step}  {shown}", file=sys.stderr, flush=True)


class LoggerWriter(Writer):
    """The first `limit` samples as a table, in every logger of the run that shows texts.

    Those are loggers with `log_text` of Lightning, such as wandb and trackio, and tensorboard.
    """

    def __init__(self, run: Run, folder: Path | None, *, limit: int = LOGGED) -> None:
        self.run, self.folder, self.limit = run, folder, limit
        self.loggers: Sequence[Any] | None = None  # those of the trainer

    @cached_property
    def own(self) -> list[Logger]:
        """Loggers of the run, for `eval` and `generate`."""
        given = loggers_get(self.folder or Path())
        return [built("train.loggers", c, given, Logger) for c in self.run.train.loggers]

    def write(self, records: Sequence[Mapping[str, Any]], place: Place) -> None:
        if not place.new or place.rank or not records:
            return
        loggers = self.own if self.loggers is None else self.loggers
        key, columns = f"predictions/{place.name}", [*records[0]]
        rows = [[text_of(k, v) for k, v in record.items()] for record in records[: self.limit]]
        if not [*filter(None, (logged(x, key, columns, rows, place.step) for x in loggers))]:
            print(f"no logger of the run shows texts, so {key} is not logged", file=sys.stderr)

    def close(self) -> None:
        for logger in self.__dict__.get("own", ()):
            logger.finalize("success")


def loggers_get(folder: Path) -> dict[str, Any]:
    """The run folder, by the names of arguments that get it."""
    return dict(zip(FOLDER, (folder, str(folder)), strict=True))


def text_of(field: str, value: Any) -> str:
    return value if isinstance(value, str) else json_of(field, value, False)


def json_of(field: str, value: Any, ascii: bool = True) -> str:
    """The value of a field as JSON. Raises Failed (X617) if JSON has no such value."""
    try:
        return json.dumps(value, ensure_ascii=ascii)
    except (TypeError, ValueError, RecursionError) as e:
        message = f"`{SETTING}`: field `{field}` has a value that is not JSON: {first_line(e)}"
        hint = "return text, a number, true or false, None, or a list or mapping of these"
        raise Failed(Diagnostic("X617", message, hint)) from None


def logged(logger: Any, key: str, columns: list[str], rows: list[list[str]], step: int) -> bool:
    """Writes a table of texts to a logger. False if it shows none."""
    if hasattr(logger, "log_text"):
        logger.log_text(key=key, columns=columns, data=rows, step=step)
        return True
    add_text = getattr(getattr(logger, "experiment", None), "add_text", None)
    if add_text is None:
        return False
    lines = [columns, ["---"] * len(columns), *([c.replace("|", "\\|") for c in r] for r in rows)]
    add_text(key, "\n".join(f"| {' | '.join(cells)} |" for cells in lines), step)
    return True


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


def trajectory(sample: Sample) -> list[str]:
    return sample.trajectory


def plain(name: str) -> Field:
    """A field of FIELDS."""
    if name == "trajectory":
        return trajectory

    def read(sample: Sample) -> Any:
        return getattr(sample, name)

    read.plain = True  # type: ignore[attr-defined]
    return read


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
