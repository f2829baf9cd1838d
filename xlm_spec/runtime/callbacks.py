"""What goes on beside training: averaged weights, progress."""

import sys
import time

import torch
from lightning.pytorch.callbacks import Callback, TQDMProgressBar, WeightAveraging

from xlm_spec.diagnostics import wants_colour


class Averaged(WeightAveraging):
    """Exponential moving average of the weights; evaluation and checkpoints use it.

    The decay rises with the number of updates n as (1 + n) / (10 + n), up to `decay`.
    """

    def __init__(self, decay: float):
        def update(averaged, current, n):
            n = float(n)
            torch._foreach_lerp_(averaged, current, 1 - min(decay, (1 + n) / (10 + n)))

        super().__init__(use_buffers=False, multi_avg_fn=update)


class Lines(Callback):
    """Progress as plain lines on stderr, where there is no terminal; at most twenty a run."""

    def on_train_start(self, trainer, pl_module) -> None:
        self.begun, self.first = time.perf_counter(), trainer.global_step
        self.every = max(1, trainer.max_steps // 20)
        self.told = self.first

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        step = trainer.global_step
        if not trainer.is_global_zero or step % self.every or step == self.told:
            return
        self.told = step
        rate = (step - self.first) / (time.perf_counter() - self.begun)
        left = int((trainer.max_steps - step) / rate)
        loss = float(outputs["loss"]) * trainer.accumulate_grad_batches
        line = f"step {step}/{trainer.max_steps}  loss {loss:.4f}  {rate:.1f} steps/s"
        print(f"{line}  left {left // 60}:{left % 60:02d}", file=sys.stderr, flush=True)

    def on_validation_end(self, trainer, pl_module) -> None:
        found = {k: v for k, v in trainer.callback_metrics.items() if k.startswith("val/")}
        if found and trainer.is_global_zero and not trainer.sanity_checking:
            told = "  ".join(f"{k} {float(v):.4f}" for k, v in found.items())
            print(f"step {trainer.global_step}  {told}", file=sys.stderr, flush=True)


def progress() -> Callback:
    """A bar on a terminal, lines elsewhere."""
    return TQDMProgressBar(refresh_rate=10) if wants_colour(sys.stderr) else Lines()
