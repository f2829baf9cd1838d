"""Checkpoints beside those of validation: milestones, and those of a run that ends early."""

import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Callback

from xlm_spec.diagnostics import Failed, first_line
from xlm_spec.runtime.config.settings import Train
from xlm_spec.runtime.machine import processes, shards, shares
from xlm_spec.runtime.machine.environment import is_worker
from xlm_spec.runtime.machine.files import WholeFiles, remove
from xlm_spec.runtime.training.callbacks import sharded
from xlm_spec.runtime.training.ending import Stopped
from xlm_spec.runtime.weights import checkpoint

MILESTONE = re.compile(r"step-(\d+)\.ckpt")


class Saving(Callback):
    """`step-N.ckpt` every `train.save_every` steps, and the state at an early end of the run.

    A signal saves `last.ckpt`, an exception `exception.ckpt`, if the weights are finite. Of several
    processes the first one saves alone, also if another one fails; if devices share the weights,
    each leaves its share, and all are lost if one is killed. Both continue exactly: each checkpoint
    stores the step of the last validation, so a run that continues begins with one that is due, and
    what a step has done before its update is dropped.
    """

    def __init__(self, folder: Path, train: Train):
        self.folder, self.train = folder, train
        self.validated = 0  # step of the last validation
        self.saved = 0  # step of the last checkpoint

    def state_dict(self) -> dict[str, int]:
        return {"validated": self.validated}

    def on_save_checkpoint(self, trainer, pl_module, checkpoint: dict) -> None:
        self.saved = trainer.global_step

    def on_load_checkpoint(self, trainer, pl_module, checkpoint: dict) -> None:
        self.saved, self.validated = int(checkpoint["global_step"]), validated_at(checkpoint)

    def on_train_start(self, trainer, pl_module) -> None:
        """Removes what an earlier failure may have left."""
        if trainer.is_global_zero:
            remove(shares.folder_of(self.folder / "exception.ckpt"))

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        stepped = (batch_idx + 1) % self.train.accumulate == 0
        if stepped and trainer.global_step >= trainer.max_steps > 0:
            # so that Lightning validates; with `should_stop` it would log the last values again
            trainer.val_check_batch = trainer.fit_loop.total_batch_idx + 1
        if stepped and self.is_milestone(trainer.global_step) and not validates_next(trainer):
            self.save_milestone(trainer)

    def on_validation_end(self, trainer, pl_module) -> None:
        self.validated = trainer.global_step
        if self.is_milestone(trainer.global_step):
            self.save_milestone(trainer)

    def is_milestone(self, step: int) -> bool:
        return step > 0 and self.train.save_every > 0 and step % self.train.save_every == 0

    def save_milestone(self, trainer: Trainer) -> None:
        """Saves `step-N.ckpt`, then removes the older ones that are not kept."""
        trainer.save_checkpoint(self.folder / f"step-{trainer.global_step:07d}.ckpt")
        if trainer.is_global_zero:
            found = milestones(self.folder)
            for step in thinned(found, self.train.keep_recent, self.train.keep_every):
                remove(found[step])

    def on_exception(self, trainer, pl_module, exception) -> None:
        if isinstance(exception, Stopped):
            trainer.save_checkpoint(self.folder / "last.ckpt")
        if not isinstance(exception, Exception) or trainer.global_step == self.saved:
            return
        file, step = self.folder / "exception.ckpt", trainer.global_step
        trainer.strategy.barrier = lambda *_: None  # the other processes may have ended
        trainer.datamodule.alone = True
        with processes.ending:
            if trainer.world_size > 1 and sharded(trainer):
                leave_share(trainer, file)
            elif trainer.is_global_zero and all(p.isfinite().all() for p in pl_module.parameters()):
                with suppress(Failed):  # the disk may be full: the exception then
                    trainer.save_checkpoint(file)
                    print(f"saved step {step} as {file}", file=sys.stderr)


def leave_share(trainer: Trainer, file: Path) -> None:
    """Leaves this device's share of the state of a run that fails."""
    trainer.strategy.failed = True  # type: ignore[attr-defined]
    try:
        trainer.save_checkpoint(file)
    except (OSError, RuntimeError) as e:
        print(f"saved no share of the weights: {first_line(e)}", file=sys.stderr)
        return
    if trainer.is_global_zero:
        where = f"{shares.folder_of(file)}; --resume joins those of all processes"
        print(f"saved the share of step {trainer.global_step} in {where}", file=sys.stderr)


def join_shares(folder: Path) -> None:
    """Joins the shares that the devices of a run that failed have left, in `exception.ckpt`.

    The first process does so, and the others wait for it.
    """
    target = folder / "exception.ckpt"
    left = shares.folder_of(target)
    if not left.exists():
        return
    if is_worker():
        shares.wait(left)
        return
    try:
        content = shares.joined(shares.read(left))
    except Exception as e:  # files of torch raise different ones
        print(f"warning: cannot join the shares in {left}: {first_line(e)}", file=sys.stderr)
        return
    WholeFiles().save_checkpoint(content, target)
    remove(left)
    print(f"joined the shares of step {content['global_step']} in {target}", file=sys.stderr)


def validates_next(trainer: Trainer) -> bool:
    """Does validation follow the last step? It follows the last one of the run."""
    batches = trainer.global_step * trainer.accumulate_grad_batches
    every = trainer.val_check_batch
    return trainer.global_step >= trainer.max_steps > 0 or not batches % (every or 1)


def validated_at(checkpoint: dict) -> int:
    """The step of the last validation before a checkpoint; older checkpoints follow theirs."""
    found = checkpoint.get("callbacks", {}).get(Saving.__name__, {})
    return int(found.get("validated", checkpoint["global_step"]))


def validate_if_due(trainer: Trainer, is_last: bool) -> None:
    """At the start of a run that continues: the validation that its last step lacks.

    `is_last`: the run has made all its steps, and ends after this validation.
    """
    [saving] = [c for c in trainer.callbacks if isinstance(c, Saving)]  # type: ignore[attr-defined]
    due = trainer.global_step != saving.validated
    if due and (is_last or validates_next(trainer)):
        trainer.validating = True
        trainer.fit_loop.epoch_loop.val_loop.run()
        trainer.training = True
    trainer.should_stop = trainer.should_stop or is_last


def thinned(steps: Iterable[int], recent: int, every: int) -> list[int]:
    """The milestones to remove: those before the newest `recent` at no multiple of `every`.

    `every` 0 keeps none of them.
    """
    older = sorted(steps)[: -recent or None]
    return [s for s in older if not every or s % every]


def milestones(folder: Path) -> dict[int, Path]:
    """Step -> file of a folder of checkpoints."""
    found = ((MILESTONE.fullmatch(f.name), f) for f in folder.glob("step-*.ckpt"))
    return {int(m[1]): f for m, f in found if m}


def newest(folder: Path) -> Path | None:
    """The checkpoint of a folder with the most steps, from which a run continues; else None.

    Of equal ones `last.ckpt`, which is that after validation.
    """
    names = ("last.ckpt", "exception.ckpt", "last.ckpt.old")
    files = [f for name in names if (f := folder / name).exists()]
    known = {f: step for f in files if (step := step_of(f)) is not None}
    damaged = [f for f in files if f not in known]
    for step, file in sorted(milestones(folder).items(), reverse=True):
        if step <= max(known.values(), default=-1):
            break
        if (found := step_of(file)) is not None:
            known[file] = found
        else:
            damaged.append(file)
    if not known:
        return max(damaged, default=None)  # its own diagnostic follows
    newest = max(known, key=lambda f: known[f])
    for file in damaged if not is_worker() else ():
        print(f"warning: cannot read {file}; continues from {newest}", file=sys.stderr)
    return newest


def step_of(file: Path) -> int | None:
    """The optimiser step of a checkpoint; None if it cannot be read."""
    try:
        if shards.is_sharded(file):
            content = checkpoint.load_own(file)
        else:
            content = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        return int(content["global_step"])
    except Exception:  # files of torch raise different ones
        return None


def aligned(loops: dict, step: int, accumulate: int) -> None:
    """Sets the progress of Lightning's loops to the end of an optimiser step.

    A checkpoint that is saved within a batch has counted it in part. Lightning counts the last
    step again when it continues.
    """
    epoch = loops["fit_loop"]
    for part in ("total", "current"):
        progress = epoch["epoch_loop.batch_progress"][part]
        progress |= dict.fromkeys(("ready", "started", "processed", "completed"), step * accumulate)
    epoch["epoch_loop.state_dict"]["_batches_that_stepped"] = max(0, step - 1)
    for progress in epoch["epoch_loop.val_loop.batch_progress"].values():  # of one that failed
        if isinstance(progress, dict):
            progress |= dict.fromkeys(progress, 0)
