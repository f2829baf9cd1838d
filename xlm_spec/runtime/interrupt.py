"""Ctrl-C ends a run between two batches."""

import signal
import sys

from lightning.pytorch.callbacks import Callback


class Interruptible(Callback):
    """Around `trainer.fit`: the first Ctrl-C waits for the end of the batch, a second does not.

    An exception in the midst of a call leaves what other threads share half changed (the queue of
    TensorBoard's writer: closing it then waits for ever).
    """

    asked = False

    def __enter__(self) -> None:
        self.before = signal.getsignal(signal.SIGINT)
        if self.before is not signal.SIG_IGN:  # as in a shell's background
            signal.signal(signal.SIGINT, self.ask)

    def __exit__(self, *error) -> None:
        signal.signal(signal.SIGINT, self.before)

    def ask(self, number, frame) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("ends after this batch; Ctrl-C again ends at once", file=sys.stderr, flush=True)

    def on_train_batch_end(self, *of_batch) -> None:
        self.end()

    def on_validation_batch_end(self, *of_batch) -> None:
        self.end()

    def end(self) -> None:
        if self.asked:
            raise KeyboardInterrupt
