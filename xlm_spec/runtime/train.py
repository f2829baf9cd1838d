"""The workflow `train`."""

import copy
import logging
import os
import sys
import time
import warnings
from itertools import islice
from pathlib import Path
from typing import Any, cast

import torch
import yaml
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger

from xlm_spec.diagnostics import Diagnostic, Failed, wants_colour
from xlm_spec.runtime import checkpoint
from xlm_spec.runtime.callbacks import Averaged, progress
from xlm_spec.runtime.choose import Run
from xlm_spec.runtime.data import DataModule, Stream
from xlm_spec.runtime.harness import Harness
from xlm_spec.runtime.interrupt import Interruptible
from xlm_spec.runtime.layout import layout_of
from xlm_spec.runtime.loaded import tell
from xlm_spec.runtime.record import JsonLines
from xlm_spec.runtime.scoring import to

STEPS = "XLM_SPEC_STEPS"  # of a run on several devices, told to their processes
TIMED_STEPS = 12  # of which the first are left out


def train(
    run: Run,
    folder: Path,
    minutes: float | None = None,
    resume: bool = False,
    devices: int = 1,
) -> None:
    """Trains into a run folder. Raises Failed where the folder or the numbers forbid it."""
    if run.train.batch % (devices * run.train.accumulate):
        told = f"train.batch={run.train.batch} does not divide by devices and train.accumulate"
        hint = f"a multiple of {devices * run.train.accumulate}"
        raise Failed(Diagnostic("X602", told, hint))
    quiet()
    data, harness = parts(run, folder)
    if run.init:
        init = Path(run.init)
        found = checkpoint.load(init)
        tell(checkpoint.agree(found, run, init))
        checkpoint.put(harness.model, found, init)
    if minutes is not None:
        run = harness.run = data.run = with_steps(harness, data, minutes, devices)
    last = folder / "checkpoints" / "last.ckpt"
    at = None
    if resume:
        at = step_of(last, run) if last.exists() else 0  # killed before its first checkpoint
    else:
        begin(run, folder)
    if at == run.train.steps:
        print("this run is finished", file=sys.stderr)
        return
    interruptible = Interruptible()
    trainer = trainer_of(run, folder, at, devices, interruptible)
    try:
        with interruptible:
            trainer.fit(harness, data, ckpt_path=last if at else None, weights_only=True)
    except SystemExit:  # as Lightning ends after Ctrl-C
        told = f"interrupted at step {trainer.global_step}; --run {folder} --resume goes on"
        print(told, file=sys.stderr)
        raise
    if trainer.global_step % evaluate_every(run):  # the last steps were not validated yet
        trainer.validate(harness, data, verbose=False)
        trainer.save_checkpoint(last)


def parts(run: Run, folder: Path) -> tuple[DataModule, Harness]:
    """The data laid out for the method, and the method as Lightning trains it."""
    layout = layout_of(run.package, run.task, run.config.vocab, run.data.fill)
    data = DataModule(run, layout)
    return data, Harness(run, layout, data.free_tokens, folder)


def trainer_of(
    run: Run, folder: Path, resumed_at: int | None, devices: int, *more: Callback
) -> Trainer:
    saved: dict[str, Any] = {
        "dirpath": folder / "checkpoints",
        "save_on_train_epoch_end": False,
        "enable_version_counter": False,
    }
    return Trainer(
        accelerator="gpu" if torch.cuda.is_available() else "cpu",  # as in eval; MPS lacks float64
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
        precision=cast(Any, run.train.precision),
        max_steps=run.train.steps,
        max_epochs=-1,
        accumulate_grad_batches=run.train.accumulate,
        gradient_clip_val=run.train.clip,
        val_check_interval=evaluate_every(run) * run.train.accumulate,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=run.train.log_every,
        use_distributed_sampler=False,
        logger=[
            JsonLines(folder / "metrics.jsonl", resumed_at),
            TensorBoardLogger(str(folder), name="tensorboard", version="", sub_dir=None),
        ],
        callbacks=[
            Averaged(run.train.ema),
            ModelCheckpoint(filename="best", monitor="val/loss", **saved),
            ModelCheckpoint(filename="last", **saved),
            progress(),
            *more,
        ],
        enable_model_summary=False,
        enable_progress_bar=wants_colour(sys.stderr),
    )


def evaluate_every(run: Run) -> int:
    """Steps between validations: as set, else ten times a run and at least every thousand steps."""
    return run.train.evaluate_every or max(1, min(1000, run.train.steps // 10))


def begin(run: Run, folder: Path) -> None:
    """The run folder and its config.yaml."""
    if os.environ.get("LOCAL_RANK", "0") != "0":
        return
    if (folder / "metrics.jsonl").exists() or (folder / "checkpoints").exists():
        hint = "--resume goes on with it; another --run starts afresh"
        raise Failed(Diagnostic("X607", "a run stands here already", hint, str(folder)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        told = f"cannot make the run's folder: {e.strerror}"
        raise Failed(Diagnostic("X609", told, file=str(folder))) from None
    told = "# every number of the run; `train --config` of this file repeats it\n"
    text = told + yaml.safe_dump(run.as_dict(), sort_keys=False)
    (folder / "config.yaml").write_text(text, encoding="utf-8", newline="\n")


def step_of(last: Path, run: Run) -> int:
    """The step at which a run goes on. Raises Failed (X702) where its data have other words now."""
    found = checkpoint.load(last)
    checkpoint.agree(found, run, last)
    return int(found["global_step"])


def with_steps(harness: Harness, data: DataModule, minutes: float, devices: int) -> Run:
    """Times some steps on a copy of the network, and fixes how many fit into the minutes.

    Processes that Lightning starts for further devices take the number of the first.
    """
    if "LOCAL_RANK" in os.environ and STEPS in os.environ:
        return harness.run.replace("the first process", steps=int(os.environ[STEPS]))
    run, device = harness.run, "cuda" if torch.cuda.is_available() else "cpu"
    trial = copy.deepcopy(harness).to(device)
    optimizer = trial.configure_optimizers()["optimizer"]
    times = []
    batches = islice(Stream(data.train, run, 0, 0, devices), TIMED_STEPS * run.train.accumulate)
    for i, x in enumerate(batches):
        begun = time.perf_counter()
        trial.training_step(to(x, device), i).backward()
        torch.nn.utils.clip_grad_norm_(trial.parameters(), run.train.clip)
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - begun)
    pace = sorted(times[2:])[len(times[2:]) // 2] * run.train.accumulate
    steps = max(1, int(minutes * 60 / pace))
    told = f"{minutes:g} minutes at {pace * 1000:.1f} ms a step: {steps} steps"
    print(told, file=sys.stderr)
    os.environ[STEPS] = str(steps)
    return run.replace(f"--minutes {minutes:g}", steps=steps)


def quiet() -> None:
    """Lightning's advice is for authors of training loops, not for their users."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    logging.getLogger("lightning.fabric").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    warnings.filterwarnings("ignore", module="torch.optim.lr_scheduler")
