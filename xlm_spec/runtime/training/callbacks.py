"""Lightning callbacks: averaged weights and progress."""

import sys
import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.callbacks import Callback, TQDMProgressBar, WeightAveraging
from lightning.pytorch.strategies import ModelParallelStrategy
from torch.optim.swa_utils import AveragedModel

from xlm_spec.diagnostics import wants_colour
from xlm_spec.runtime.training.ending import Ending

LINES = 20  # progress lines per run


class Averaged(WeightAveraging):
    """Exponential moving average of the weights; evaluation and checkpoints use it.

    The decay rises with the number of updates n as (1 + n) / (10 + n), up to `decay`.
    """

    def __init__(self, decay: float):
        def update(averaged, current, n):
            n = float(n)
            torch._foreach_lerp_(averaged, current, 1 - min(decay, (1 + n) / (10 + n)))

        super().__init__(use_buffers=False, multi_avg_fn=update)
        self.swapped = False  # does the module have the averaged weights, for validation?

    def setup(self, trainer, pl_module, stage: str) -> None:
        """Shards the average as the model is sharded, which happens after this."""
        if not sharded(trainer):
            super().setup(trainer, pl_module, stage)
        elif stage == "fit":
            given = {"use_buffers": self._use_buffers, **self._kwargs}
            self._average_model = AveragedModel(pl_module, **given)
            self._average_model.to(trainer.strategy.root_device)
            average: Any = self._average_model.module
            average.configure_model(pl_module.device_mesh)

    def on_validation_epoch_start(self, trainer, pl_module) -> None:
        self.swapped = True
        if not sharded(trainer):
            super().on_validation_epoch_start(trainer, pl_module)
            return
        assert self._average_model is not None
        average: Any = self._average_model.module
        self.of_training, pl_module.model = pl_module.model, average.whole(pl_module.device)

    def on_exception(self, trainer, pl_module, exception) -> None:
        """Restores the weights of training, which a checkpoint of this exception stores."""
        if self.swapped:
            self.on_validation_epoch_end(trainer, pl_module)

    def on_validation_epoch_end(self, trainer, pl_module) -> None:
        self.swapped = False
        if sharded(trainer):
            pl_module.model = self.of_training
        else:
            super().on_validation_epoch_end(trainer, pl_module)

    def on_save_checkpoint(self, trainer, pl_module, checkpoint: dict) -> None:
        """Saves the average as `state_dict`, the weights of training as `current_model_state`."""
        super().on_save_checkpoint(trainer, pl_module, checkpoint)
        if sharded(trainer):
            from xlm_spec.runtime.training import sharding

            assert self._average_model is not None
            average, options = self._average_model.module, trainer.strategy.saved
            checkpoint["state_dict"] = sharding.state_of(average, options)

    def on_load_checkpoint(self, trainer, pl_module, checkpoint: dict) -> None:
        if not sharded(trainer):
            super().on_load_checkpoint(trainer, pl_module, checkpoint)
            return
        from xlm_spec.runtime.training import sharding

        assert self._average_model is not None
        path = Path(trainer.ckpt_path)
        sharding.load_average(self._average_model.module, checkpoint, path)
        self._average_model.n_averaged.copy_(checkpoint["averaging_state"]["n_averaged"])


def sharded(trainer) -> bool:
    return isinstance(trainer.strategy, ModelParallelStrategy)


class Lines(Callback):
    """Progress as plain lines on stderr if that is no terminal, at most twenty per run.

    `ending`: the clock of a run with `--minutes`.
    """

    def __init__(self, ending: Ending | None):
        self.ending = ending

    def on_train_start(self, trainer, pl_module) -> None:
        self.begun, self.first = time.perf_counter(), trainer.global_step
        self.printed_step = self.first
        self.printed_share = self.ending.share if self.ending else 0.0

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        step = trainer.global_step
        if not trainer.is_global_zero or step == self.printed_step or not self.due(trainer):
            return
        self.printed_step = step
        rate = (step - self.first) / (time.perf_counter() - self.begun)
        loss = float(outputs["loss"]) * trainer.accumulate_grad_batches
        if self.ending:
            left, of = int(self.ending.budget - self.ending.spent), ""
        else:
            left, of = int((trainer.max_steps - step) / rate), f"/{trainer.max_steps}"
        line = f"step {step}{of}  loss {loss:.4f}  {rate:.1f} steps/s"
        left = max(0, left)
        print(f"{line}  left {left // 60}:{left % 60:02d}", file=sys.stderr, flush=True)

    def due(self, trainer) -> bool:
        if self.ending is None:
            return trainer.global_step % max(1, trainer.max_steps // LINES) == 0
        if self.ending.share - self.printed_share < 1 / LINES:
            return False
        self.printed_share = self.ending.share
        return True

    def on_validation_end(self, trainer, pl_module) -> None:
        metrics = {k: v for k, v in trainer.callback_metrics.items() if k.startswith("val/")}
        if metrics and trainer.is_global_zero and not trainer.sanity_checking:
            values = "  ".join(f"{k} {float(v):.4f}" for k, v in metrics.items())
            print(f"step {trainer.global_step}  {values}", file=sys.stderr, flush=True)


def progress(ending: Ending | None = None) -> Callback:
    """A progress bar on a terminal, else lines."""
    return TQDMProgressBar(refresh_rate=10) if wants_colour(sys.stderr) else Lines(ending)
