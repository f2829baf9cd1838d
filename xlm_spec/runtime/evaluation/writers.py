"""Where samples go: a file, a logger, the console, or a class of the user."""

import json
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger

from xlm_spec.diagnostics import Diagnostic, Failed, first_line
from xlm_spec.runtime.config.extensions import FOLDER, built
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.evaluation.samples import SETTING, Place

PRINTED = 3  # samples at a time on the console
LOGGED = 8  # samples at a time in a logger


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
