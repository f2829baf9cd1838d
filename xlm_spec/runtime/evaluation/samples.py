"""Samples as the writers of a run get them: their place, and the values of fields."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.config.settings import ENTRIES
from xlm_spec.runtime.evaluation.scoring import SampleResult

SETTING = "train.predictions"
FIELDS: tuple[str, ...] = ENTRIES[SETTING]["fields"]


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
