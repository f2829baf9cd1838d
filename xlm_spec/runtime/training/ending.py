"""Early ends of training: Ctrl-C, SIGTERM, or the end of `--minutes`."""

import signal
import sys
import time
from typing import Any

import torch
from lightning.pytorch.callbacks import Callback

from xlm_spec.interrupts import release

NEVER = 10**12  # batches between validations: never at a fixed interval
SHARE = 0.1  # share of the budget between two validations


class Stopped(BaseException):
    """A signal stopped training after a batch."""

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number


class Ending(Callback):
    """Stops `trainer.fit` between two batches, on all devices after the same batch.

    `minutes`: training time after which the run ends, without validation and checkpoints. Each
    checkpoint stores the time spent. A signal in the middle of a call could corrupt data that
    other threads share, so the first signal waits for the end of the batch. The same signal again
    stops the process immediately.
    """

    def __init__(self, minutes: float, accumulate: int):
        self.budget, self.accumulate = minutes * 60, accumulate
        self.spent = 0.0  # seconds of training
        self.validating = 0.0  # seconds of validation and checkpoints
        self.since: float | None = None  # when the clock was started; None: it is stopped
        self.paused: float | None = None  # when validation began
        self.validated = 0.0  # `spent` at the last validation
        self.received = 0  # the signal that this process received
        self.agreed = 0  # the signal on which all devices stop; set only between batches
        self.before: dict[int, Any] = {}  # handlers to restore

    @property
    def share(self) -> float:
        """The used share of the budget, in [0, 1]."""
        return min(1.0, self.spent / self.budget)

    @property
    def over(self) -> bool:
        return 0 < self.budget <= self.spent

    def state_dict(self) -> dict[str, float]:
        return {"spent": self.spent, "validating": self.validating}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        self.spent, self.validating = state_dict["spent"], state_dict["validating"]
        self.validated = self.spent

    # signals

    def __enter__(self) -> "Ending":
        self.before = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
        self.listen()
        release(*self.before)  # a worker is started with them held
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def listen(self) -> None:
        """Installs the handlers. Lightning's own handler would end a run with exit code 0."""
        for number, handler in self.before.items():
            ignored = handler is signal.SIG_IGN  # a background process of a shell
            if not ignored and not self.received:
                signal.signal(number, self.receive)

    def receive(self, number: int, frame: object) -> None:
        self.received = number
        signal.signal(number, signal.SIG_DFL)
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        line = f"stopping after this batch; {name} again stops immediately"
        print(line, file=sys.stderr, flush=True)

    # the clock

    def on_train_start(self, trainer, pl_module) -> None:
        self.listen()
        self.resume()

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        """Raises Stopped before a step, when the figures of the last one are logged."""
        if self.agreed and batch_idx % self.accumulate == 0:
            raise Stopped(self.agreed)
        self.resume()

    def resume(self) -> None:
        now = time.perf_counter()
        if self.paused is not None:
            self.validating, self.paused = self.validating + now - self.paused, None
        if self.since is None:
            self.since = now

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        now = time.perf_counter()
        self.spent, self.since = self.spent + now - (self.since or now), now
        self.agree(trainer, pl_module.device)
        stepped = (batch_idx + 1) % self.accumulate == 0  # the optimiser made a step
        if self.budget and stepped:
            trainer.should_stop = self.over
            due = self.spent - self.validated >= SHARE * self.budget and self.affordable
            self.validated = self.spent if due else self.validated
            trainer.val_check_batch = trainer.fit_loop.total_batch_idx + 1 if due else NEVER

    @property
    def affordable(self) -> bool:
        """Validation has taken less time than training so far. The final one always runs."""
        return self.validating <= self.spent

    def agree(self, trainer, device) -> None:
        """All devices adopt the times of the slowest, and a signal that any of them received.

        A signal that arrives during this exchange takes effect after the next batch.
        """
        if trainer.world_size == 1:
            self.agreed = self.received
            return
        own = [float(self.received), self.spent, self.validating]
        largest = torch.tensor(own, dtype=torch.float64, device=device)
        torch.distributed.all_reduce(largest, torch.distributed.ReduceOp.MAX)
        signal_number, self.spent, self.validating = largest.tolist()
        self.agreed = int(signal_number)

    def on_validation_start(self, trainer, pl_module) -> None:
        self.since, self.paused = None, time.perf_counter()

    def on_validation_batch_end(self, trainer, *of_batch) -> None:
        if self.received and trainer.world_size == 1:  # devices may differ in number of batches
            raise Stopped(self.received)

    def on_train_end(self, trainer, pl_module) -> None:
        self.resume()
        self.since = None
