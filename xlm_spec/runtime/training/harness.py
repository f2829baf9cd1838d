"""A package as a LightningModule: objective -> sum -> mean -> log."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from xlm_spec.runtime.config.model import build_model, new_model
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.data.rows import Rows
from xlm_spec.runtime.evaluation.metric_tracker import MetricTracker
from xlm_spec.runtime.evaluation.predictions import Predictions, records_of
from xlm_spec.runtime.evaluation.samples import Place
from xlm_spec.runtime.evaluation.scoring import (
    SampleResult,
    draw,
    likelihoods,
    nats,
    sampling_generator,
    start_of,
    to,
    training_loss,
)
from xlm_spec.runtime.loading.data_module import MicroBatch, reads_training
from xlm_spec.runtime.loading.layout import Layout
from xlm_spec.runtime.loading.managers import entries_of
from xlm_spec.runtime.randomness import generator, seed_of
from xlm_spec.runtime.training.ending import Ending
from xlm_spec.runtime.training.lr_schedules import Progress
from xlm_spec.runtime.training.optimizer import law_of, optimizer_of
from xlm_spec.runtime.training.recompute import recompute_blocks
from xlm_spec.runtime.training.saving import aligned, validate_if_due


class Harness(LightningModule):
    """Trains and validates a package. `scale`: mean free tokens per training sequence."""

    def __init__(self, run: Run, layout: Layout, scale: float, folder: Path):
        super().__init__()
        self.run, self.layout, self.scale, self.folder = run, layout, scale, folder
        torch.manual_seed(seed_of(run.train.seed, "weights"))
        self.model = build_model(run, layout.max_length)
        if run.train.gradient_checkpointing:
            recompute_blocks(self.model)
        if run.train.compile:
            self.model.backbone.compile()
        self.scored = [("val", e.name) for e in entries_of(run) if "val" in e.stages]
        self.scored += [("train", "")] if reads_training(run) else []  # as `val_dataloader`
        self.metrics: Any = torch.nn.ModuleList(MetricTracker(run, *s) for s in self.scored)
        self.predictions = Predictions(run, "val", folder)
        self.ending: Ending | None = None  # the clock of a run with `--minutes`
        self.digests: dict[str, str] = {}  # of the splits; checkpoints store them
        self.means: dict[str, Tensor] = {}  # means over the micro-batches of this step so far

    def configure_optimizers(self):
        optimizer = optimizer_of(self.run, self.model)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.lr_share)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    @cached_property
    def lr_law(self) -> Callable[[Progress], float]:
        """`train.lr_schedule`, with its options."""
        return law_of(self.run)

    def lr_share(self, step: int) -> float:
        """Linear warm-up, then `train.lr_schedule`.

        With `--minutes` it follows the used share of the training time.
        """
        train = self.run.train
        rise = min(1.0, (step + 1) / (train.warmup + 1))
        if self.ending is not None and train.minutes:
            done = self.ending.share
        else:
            done = min(1.0, max(0, step - train.warmup) / max(1, train.steps - train.warmup))
        return rise * self.lr_law(Progress(step, done, train.warmup, train.lr_end))

    def on_train_start(self) -> None:
        """After that of all callbacks."""
        validate_if_due(self.trainer, self.is_last)

    def training_step(self, batch: MicroBatch, batch_idx: int) -> Tensor:
        """Noise and dropout depend on the micro-batch, not on the rank that computes it."""
        key = (self.run.train.seed, batch.step, batch.number)
        torch.manual_seed(seed_of(*key, "dropout"))
        rng = generator(*key, "noise", device=self.device)
        loss, means = training_loss(self.run, self.model, batch.x, rng, self.scale)
        self.note({"loss": loss, **(means if len(means) > 1 else {})}, batch_idx)
        return loss

    def note(self, values: dict[str, Tensor], batch_idx: int) -> None:
        """Logs the mean over the global batch, every `log_every` steps."""
        step, parts = self.global_step + 1, self.run.train.accumulate
        if step % self.run.train.log_every:  # the steps at which Lightning logs
            return
        if batch_idx % parts == 0:
            self.means = dict.fromkeys(values, torch.zeros((), device=self.device))
        for key, value in values.items():
            self.means[key] = self.means[key] + value.detach() / parts
        if batch_idx % parts == parts - 1:
            means = {f"train/{k}": v for k, v in self.means.items()}
            self.log_dict(means, sync_dist=True)
            self.log("step", float(step))

    def validation_step(
        self, batch: tuple[int, Rows], batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        first, rows = batch
        if not len(rows.prompt):  # fewer batches than devices
            return
        (stage, name), metrics = self.scored[dataloader_idx], self.metrics[dataloader_idx]
        key = (self.run.train.seed, "validation", *([name] if name else []), first)
        rng = generator(*key, device=self.device)
        given = self.run, self.layout, self.model, rows, rng
        if stage == "val":
            metrics.add_loss(nats(*given), self.scale)
        if metrics.reads_likelihood:
            metrics.add_likelihoods(*likelihoods(*given), rows)
        samples = self.run.train.sample_examples
        left = min(samples, self.run.task.samples or samples) - first
        if left > 0:
            some = rows.take(slice(0, left))
            result = self.sample(first, some)
            if stage == "val":
                self.write(some, result, name, new=batch_idx == 0)
            metrics.add_answers(result.answers.to(self.device), to(some, self.device))

    def sample(self, first: int, rows: Rows) -> SampleResult:
        """The samples of the default sampler for some prompts."""
        sampler = next(iter(self.run.package.SAMPLERS))
        rng = sampling_generator(self.run, sampler, first, self.device)
        start = start_of(self.layout, rows, self.device)
        given = self.run, self.layout, self.model, sampler, start, rng
        return draw(*given, keep=self.predictions.keep)

    def write(self, rows: Rows, result: SampleResult, name: str, new: bool) -> None:
        """Gives samples to `train.predictions`. `new`: the first ones of a validation."""
        place = Place("val", self.global_step, name, "", self.global_rank, new, self.is_last)
        records = records_of(self.predictions, rows, result, place)
        self.predictions.write(records, place, self.loggers)

    @property
    def is_last(self) -> bool:
        """Are these the last steps of the run?"""
        if self.run.train.minutes and self.ending is not None:
            return self.ending.over
        return self.global_step >= self.run.train.steps

    def on_validation_epoch_end(self) -> None:
        for (stage, name), metrics in zip(self.scored, self.metrics, strict=True):
            means = metrics.compute(answers=self.run.train.sample_examples > 0)
            prefix = f"val/{name}" if name else "val"
            if stage == "train":
                prefix, _ = "train/samples", means.pop("loss")
            self.log_dict({f"{prefix}/{k}": v for k, v in means.items()})
            metrics.reset()
        self.log("step", float(self.global_step))

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["xlm_spec"] = self.run.as_dict()
        checkpoint["words"] = self.run.task.tokenizer.state
        checkpoint["data"] = self.digests
        if self.run.teacher is not None:
            checkpoint["teacher"] = self.run.teacher.digest
        aligned(checkpoint["loops"], self.global_step, self.run.train.accumulate)


def sharding() -> Any:
    """The module, which requires torch 2.6, and takes long to import."""
    from xlm_spec.runtime.training import sharding

    return sharding


class ShardedHarness(Harness):
    """The same for a strategy that shards the model over the devices."""

    def configure_model(self, mesh: Any = None) -> None:
        """Shards the model once; `mesh`: the devices, by default those of the trainer."""
        if not sharding().is_sharded(self.model):
            found = self.device_mesh if mesh is None else mesh
            assert found is not None
            sharding().shard(self.model, found["data_parallel"])

    def whole(self, device: torch.device) -> torch.nn.Module:
        """A model with the whole weights. All devices must call this; they validate independently,
        since they may have different numbers of batches.
        """
        with torch.random.fork_rng():
            model = new_model(self.run)
        model.load_state_dict(sharding().state_of(self.model, sharding().ON_ALL))
        return model.to(device).eval()
