"""The workflow `train`."""

import logging
import math
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
import yaml
from lightning.fabric.plugins.environments import (
    ClusterEnvironment,
    LightningEnvironment,
    SLURMEnvironment,
    TorchElasticEnvironment,
)
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import Logger
from lightning.pytorch.strategies import ModelParallelStrategy, Strategy

from xlm_spec.diagnostics import Diagnostic, Failed, first_line, wants_colour
from xlm_spec.runtime.config.extensions import FOLDER, built, raised_in
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.config.settings import Train
from xlm_spec.runtime.evaluation.metric_tracker import metrics_of
from xlm_spec.runtime.loading.data_module import DataModule
from xlm_spec.runtime.loading.layout import layout_of
from xlm_spec.runtime.machine.environment import is_worker, launcher, use_threads
from xlm_spec.runtime.machine.files import WholeFiles, unwritable, write
from xlm_spec.runtime.machine.processes import is_lost, lost
from xlm_spec.runtime.training.callbacks import Averaged, progress
from xlm_spec.runtime.training.ending import NEVER, Ending, Stopped
from xlm_spec.runtime.training.harness import Harness, ShardedHarness
from xlm_spec.runtime.training.jsonl_logger import JsonLines
from xlm_spec.runtime.training.optimizer import law_of, try_optimizer
from xlm_spec.runtime.training.rehearsal import rehearse
from xlm_spec.runtime.training.saving import Saving, join_shares, newest, validated_at
from xlm_spec.runtime.weights import checkpoint, exported, state_dict
from xlm_spec.runtime.weights.load_model import report_differences
from xlm_spec.runtime.weights.teacher import require_same, with_teacher

WIDTH = 10_000  # of a line of config.yaml: paths and digests stay whole


@dataclass(frozen=True)
class Extensions:
    """What the settings of a run add to the trainer."""

    loggers: tuple[Logger, ...]
    callbacks: tuple[Callback, ...]
    strategy: Strategy | None  # None: of one device


def extensions_of(run: Run, folder: Path, devices: int) -> Extensions:
    """Builds the loggers, the callbacks and the strategy, and checks other code of the settings.

    Raises Failed: X508, X602, X617.
    """
    try_optimizer(run)
    law_of(run)
    metrics_of(run)
    t, given = run.train, dict(zip(FOLDER, (folder, str(folder)), strict=True))
    return Extensions(
        loggers=tuple(built("train.loggers", c, given, Logger) for c in t.loggers),
        callbacks=tuple(built("train.callbacks", c, given, Callback) for c in t.callbacks),
        strategy=built("train.strategy", t.strategy, {}, Strategy) if devices > 1 else None,
    )


def train(run: Run, folder: Path, resume: bool = False, devices: int = 1, nodes: int = 1) -> None:
    """Trains into a run folder. Raises Failed: X602, X607, X609, X613-X619, X701, X702."""
    parts = nodes * devices * run.train.accumulate
    if run.train.batch % parts:
        message = f"train.batch={run.train.batch} is not divisible by devices * train.accumulate"
        hint = f"use a multiple of {parts}"
        raise Failed(Diagnostic("X602", message, hint))
    require_kept(run.train)
    silence_lightning()
    threads = use_threads(run.train.threads)
    if not resume:
        require_unused(folder)
    extensions = extensions_of(run, folder, nodes * devices)
    run = with_teacher(run)
    sharded = isinstance(extensions.strategy, ModelParallelStrategy)
    data, harness = data_and_harness(run, folder, ShardedHarness if sharded else Harness)
    rehearse(run, data.layout, data)
    if run.init:
        initialise(harness.model, run, Path(run.init))
    if resume:
        join_shares(folder / "checkpoints")
    last = newest(folder / "checkpoints") if resume else None
    at = None
    if resume:  # it may have been killed before its first checkpoint
        at = resume_step(last, run, data) if last else 0
    done = last is not None and finished(last, run)
    if not is_worker() and not done:
        write_config(run, folder)
    harness.digests = data.digests
    ending = harness.ending = Ending(run.train.minutes, run.train.accumulate)
    if done:
        line = "this run is already finished; for more steps, use --resume --steps N"
        print(line, file=sys.stderr)
        return
    trainer = trainer_of(run, folder, at, (nodes, devices), ending, extensions)
    if at and at >= run.train.steps and not run.train.minutes:  # a validation is due
        trainer.fit_loop.epoch_loop.max_steps = at + 1  # else Lightning does not start
    fit(trainer, harness, data, last, ending)
    if run.train.minutes and not is_worker():
        steps = harness.trainer.global_step
        write_config(run.replace(f"--minutes {run.train.minutes:g}", steps=steps), folder)
        spent, validating = ending.spent / 60, ending.validating / 60
        line = f"{steps} steps in {spent:.2f} minutes of training, {threads} thread(s)"
        print(f"{line}; validation took another {validating:.2f} minutes", file=sys.stderr)


def initialise(model: torch.nn.Module, run: Run, file: Path) -> None:
    """Loads the weights of `--init`: a checkpoint, an export, or a plain state dict.

    Raises Failed: X701, X702, X631-X633.
    """
    source = checkpoint.located(file)
    content = exported.content(source) if exported.is_export(source) else state_dict.read(source)
    if checkpoint.is_checkpoint(content):
        known = checkpoint.checked(content, file)
        report_differences(checkpoint.differences(known, run, file))
        checkpoint.load_weights(model, known, file)
        return
    found = state_dict.load(model, state_dict.tensors_of(content, file), file)
    for line in found if not is_worker() else ():
        print(line, file=sys.stderr)


def fit(
    trainer: Trainer, harness: Harness, data: DataModule, last: Path | None, ending: Ending
) -> None:
    """Trains and validates. Raises SystemExit if a signal stops it; Failed (X613, X615)."""
    folder = harness.folder
    try:
        with ending:
            trainer.fit(harness, data, ckpt_path=last, weights_only=True)
    except (Stopped, SystemExit) as e:  # Lightning raises SystemExit after a second Ctrl-C
        if not is_worker():
            line = f"stopped at step {trainer.global_step}; continue with --run {folder} --resume"
            print(line, file=sys.stderr)
        number = e.number if isinstance(e, Stopped) else ending.received
        raise SystemExit(128 + number if number else 1) from None
    except Failed:
        raise
    except Exception as e:
        raised = raised_in(e, [*harness.run.injected])
        if raised:
            raise raised from None
        if trainer.world_size > 1 and is_lost(e):
            if is_worker():
                raise SystemExit(1) from None  # the first process reports it
            raise Failed(lost(f"continue with --run {folder} --resume")) from None
        if not type(e).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise
        hint = "install a C++ compiler, or use train.compile=false"
        message = f"torch.compile failed: {first_line(e)}"
        raise Failed(Diagnostic("X613", message, hint)) from None


def data_and_harness(
    run: Run, folder: Path, of: type[Harness] = Harness
) -> tuple[DataModule, Harness]:
    """The Lightning data module and the Lightning module of a run."""
    layout = layout_of(run.package, run.task, run.config.vocab, run.data.fill)
    data = DataModule(run, layout)
    return data, of(run, layout, data.free_tokens, folder)


def trainer_of(
    run: Run,
    folder: Path,
    resumed_at: int | None,
    devices: tuple[int, int],
    ending: Ending,
    more: Extensions,
) -> Trainer:
    """`devices`: the numbers of nodes and of devices of each."""
    saved: dict[str, Any] = {
        "dirpath": folder / "checkpoints",
        "save_on_train_epoch_end": False,
        "enable_version_counter": False,
    }
    timed = run.train.minutes > 0
    return Trainer(
        accelerator="gpu" if torch.cuda.is_available() else "cpu",  # MPS lacks float64
        num_nodes=devices[0],
        devices=devices[1],
        strategy=more.strategy or "auto",
        plugins=[cluster(), WholeFiles()],
        default_root_dir=folder,
        precision=cast(Any, run.train.precision),
        max_steps=-1 if timed else run.train.steps,
        max_epochs=-1,
        accumulate_grad_batches=run.train.accumulate,
        gradient_clip_val=run.train.clip,
        val_check_interval=NEVER if timed else evaluate_every(run) * run.train.accumulate,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=run.train.log_every,
        use_distributed_sampler=False,
        logger=[
            JsonLines(folder / "metrics.jsonl", resumed_at),
            *more.loggers,
        ],
        callbacks=[
            Averaged(run.train.ema),
            ModelCheckpoint(filename="best", monitor="val/loss", **saved),
            ModelCheckpoint(filename="last", **saved),
            Saving(folder / "checkpoints", run.train),
            progress(ending if timed else None),
            *more.callbacks,
            ending,
        ],
        enable_model_summary=False,
        enable_progress_bar=wants_colour(sys.stderr),
    )


def cluster() -> ClusterEnvironment:
    """How the processes find each other. A run starts its own, unless `--nodes` is given."""
    if launcher() == "SLURM":
        return SLURMEnvironment(auto_requeue=False)
    return TorchElasticEnvironment() if launcher() else LightningEnvironment()


def evaluate_every(run: Run) -> int:
    """Steps between validations: the setting, else a tenth of the run, at most a thousand steps.

    With `--minutes`: after each tenth of them, unless validation takes longer than training.
    """
    return run.train.evaluate_every or max(1, min(1000, run.train.steps // 10))


def require_unused(folder: Path) -> None:
    """Raises Failed (X607) if the folder holds a run."""
    if is_worker():
        return
    if (folder / "metrics.jsonl").exists() or (folder / "checkpoints").exists():
        hint = "continue it with --resume, or choose another --run"
        raise Failed(Diagnostic("X607", "the folder already holds a run", hint, str(folder)))


def require_kept(train: Train) -> None:
    """Raises Failed (X602) if each milestone would be removed as soon as it is saved."""
    if not train.save_every or train.keep_recent:
        return
    first = math.lcm(train.save_every, train.keep_every)  # 0: none
    if first and (train.minutes or first <= train.steps or train.save_every > train.steps):
        return
    message = f"train.keep_recent=0 and train.keep_every={train.keep_every} keep no milestone"
    hint = f"use train.keep_recent=1 or more, or train.keep_every={train.save_every}"
    raise Failed(Diagnostic("X602", message, hint))


def write_config(run: Run, folder: Path) -> None:
    """Writes config.yaml. Raises Failed (X609)."""
    head = "# every setting of the run; repeat it with `train --config` and this file\n"
    text = head + yaml.safe_dump(run.as_dict(), sort_keys=False, width=WIDTH)
    try:
        write(folder / "config.yaml", text)
    except OSError as e:
        raise unwritable(folder, "cannot write into the run folder", e) from None


def resume_step(last: Path, run: Run, data: DataModule) -> int:
    """The step at which a run continues.

    Raises Failed: X702 if the tokenizer has changed, X614 if the data have, X619 if the optimiser
    has, X618 if the teacher has.
    """
    content = checkpoint.load_own(last)
    checkpoint.differences(content, run, last)
    require_optimizer(content, run, last)
    require_same(run, content, last)
    known = content.get("data", data.digests)
    changed = [split for split, digest in data.digests.items() if known.get(split) != digest]
    if changed:
        message = f"the data have changed since this run began: {', '.join(changed)}"
        hint = "restore them, or start a new run on the new data (--init loads the weights)"
        raise Failed(Diagnostic("X614", message, hint, str(last)))
    return int(content["global_step"])


def require_optimizer(content: dict, run: Run, last: Path) -> None:
    """Raises Failed (X619) if the optimiser differs from that of the checkpoint."""
    key = "train.optimizer"
    before = checkpoint.settings_of(content).get(key, Train.optimizer)
    if before != run.settings[key]:
        message = f"the optimiser of the checkpoint is `{before}`, not `{run.settings[key]}`"
        hint = "restore it in config.yaml, or start a new run (--init loads the weights)"
        raise Failed(Diagnostic("X619", message, hint, str(last)))
    old = content["xlm_spec"].get("injected", {})
    for kind in run.injected if not is_worker() else ():
        if old.get(kind, run.injected[kind]) != run.injected[kind]:
            print(f"changed since this run began: {kind}", file=sys.stderr)


def finished(last: Path, run: Run) -> bool:
    """True if the run has used up its steps or minutes, and validated after the last step."""
    content = checkpoint.load_own(last)
    if validated_at(content) != int(content["global_step"]):
        return False
    if not run.train.minutes:
        return int(content["global_step"]) >= run.train.steps
    spent = content.get("callbacks", {}).get("Ending", {}).get("spent", 0.0)
    return spent >= run.train.minutes * 60


def silence_lightning() -> None:
    """Hides Lightning's advice, which is for authors of training loops."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    logging.getLogger("lightning.fabric").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    warnings.filterwarnings("ignore", module="torch.optim.lr_scheduler")
