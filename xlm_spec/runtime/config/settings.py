"""Settings of a run that are independent of the method. The compiler reads this file too.

The comment after a field states its meaning and its range. The value of a field of type
`str | dict` is a name of NAMES, an import path such as `torch.optim.RMSprop`, or `./file.py:Name`;
with options it is a mapping, `{kind: sgd, momentum: 0.9}`. With `tuple` it is a list of these.
"""

from dataclasses import dataclass
from typing import Any, Literal

NAMES = {  # setting -> its names, and the import paths that they stand for
    "data.metrics": {
        "edit_distance": "torchmetrics.text.EditDistance",
        "bleu": "xlm_spec.runtime.evaluation.set_metrics.Bleu",
        "chrf": "xlm_spec.runtime.evaluation.set_metrics.Chrf",
        "distinct": "xlm_spec.runtime.evaluation.set_metrics.Distinct",
        "repetition": "xlm_spec.runtime.evaluation.set_metrics.Repetition",
        "perplexity": "xlm_spec.runtime.evaluation.set_metrics.Perplexity",
        "generative_nll": "xlm_spec.runtime.evaluation.judge.GenerativeNll",
        "mauve": "xlm_spec.runtime.evaluation.divergence.Mauve",
    },
    "data.manager": {"task": "xlm_spec.runtime.loading.managers.DatasetManager"},
    "data.loaders": {"task": "xlm_spec.runtime.loading.managers.DatasetManager"},
    "train.optimizer": {
        "adamw": "torch.optim.AdamW",
        "adam": "torch.optim.Adam",
        "sgd": "torch.optim.SGD",
        "adafactor": "torch.optim.Adafactor",
        "muon": "xlm_spec.runtime.training.muon.Muon",
    },
    "train.lr_schedule": {
        "cosine": "xlm_spec.runtime.training.lr_schedules.cosine",
        "constant": "xlm_spec.runtime.training.lr_schedules.constant",
        "linear": "xlm_spec.runtime.training.lr_schedules.linear",
        "wsd": "xlm_spec.runtime.training.lr_schedules.wsd",
        "inverse_sqrt": "xlm_spec.runtime.training.lr_schedules.inverse_sqrt",
    },
    "train.strategy": {
        "ddp": "xlm_spec.runtime.training.launcher.Processes",
        "fsdp2": "xlm_spec.runtime.training.sharding.Sharded",
    },
    "train.loggers": {
        "tensorboard": "xlm_spec.runtime.training.loggers.tensorboard",
        "csv": "xlm_spec.runtime.training.loggers.csv",
        "wandb": "xlm_spec.runtime.training.loggers.wandb",
        "trackio": "xlm_spec.runtime.training.loggers.Trackio",
    },
    "train.callbacks": {},
    "train.predictions": {
        "file": "xlm_spec.runtime.evaluation.writers.FileWriter",
        "logger": "xlm_spec.runtime.evaluation.writers.LoggerWriter",
        "console": "xlm_spec.runtime.evaluation.writers.ConsoleWriter",
    },
}

# list -> the keys of its entries beside the options: the allowed names, or a value of the type
ENTRIES: dict[str, dict[str, Any]] = {
    "data.metrics": {
        "name": "",
        "stages": ("train", "val", "test", "predict"),
        "loaders": [],
        "update": "",
    },
    "data.loaders": {
        "name": "",
        "stages": ("train", "val", "test", "predict"),
        "split": ("train", "val", "test"),
        "limit": 0,
        "task": "",
        "options": {},
    },
    "train.predictions": {
        "fields": ("prompt", "answer", "truth", "tokens", "trajectory", "steps", "network_calls"),
        "stages": ("val", "test", "predict"),
        "every": 0,
    },
}


@dataclass(frozen=True)
class Data:
    """The data to train on.

    Also known as: dataset, datamodule, dataloader
        task: dataset, kind, name
        workers: num_workers, n_workers, num_dataloader_workers
        overfit: overfit_batches, debug
        metrics: metric, extra_metrics
        manager: dataset_manager, data_manager
        loaders: dataloaders, dataset_managers, eval_datasets, val_datasets
        bucket: group_by_length, length_bucketing, bucket_size, bucketing
    """

    task: str = "star_easy"  # name of a task, or path of a task file
    fill: Literal["eos", "none"] = "none"  # tokens after the answer; set by the method
    overfit: bool = False  # train and validate on one batch
    workers: int = 0  # processes that load data; in [0, inf)
    metrics: tuple = ()  # more metrics than those of the task
    bucket: int = 0  # batches among which rows are sorted by length; 0: not sorted; in [0, inf)
    manager: str | dict = "task"  # prepares and keeps the data set
    loaders: tuple = ()  # more data of some stages: {kind: task, name: NAME, stages: [val, test]}


@dataclass(frozen=True)
class Train:
    """Training settings.

    Also known as: training, trainer, training_args, optimizer, optimiser, optim, hyperparameters
        batch: batch_size, global_batch_size, train_batch_size, per_device_train_batch_size, bs
        steps: max_steps, num_steps, n_steps, total_steps, train_steps, num_train_steps,
            iterations, max_iters
        lr: learning_rate, max_lr, peak_lr, base_lr
        warmup: warmup_steps, num_warmup_steps, warmup_iters, lr_warmup_steps
        lr_end: min_lr_ratio, min_lr_rate, final_lr_ratio
        weight_decay: wd, l2
        optimizer: optimiser, optim, optimizer_type, optimizer_name
        lr_schedule: scheduler, lr_scheduler, lr_scheduler_type, lr_decay, schedule_type
        loggers: logger, report_to, log_to, trackers
        callbacks: callback, hooks
        predictions: writers, prediction_writers, log_predictions
        strategy: distributed_strategy, distributed_backend
        beta2: adam_beta2, beta_2, b2
        clip: grad_clip, gradient_clip, gradient_clip_val, grad_clip_norm, max_grad_norm, clip_norm
        ema: ema_decay, ema_rate
        accumulate: accumulate_grad_batches, gradient_accumulation_steps, accumulation_steps,
            grad_accum
        seed: random_seed, rng_seed
        precision: dtype, torch_dtype, mixed_precision, amp
        gradient_checkpointing: activation_checkpointing, use_gradient_checkpointing, remat
        compile: torch_compile
        threads: num_threads, n_threads, cpu_threads
        evaluate_examples: limit_val_batches, max_eval_samples, eval_examples, num_eval_examples
        evaluate_batch: eval_batch_size, per_device_eval_batch_size, val_batch_size,
            eval_batch
        minutes: max_minutes, max_time
        log_every: log_every_n_steps, logging_steps, log_interval, log_freq
        evaluate_every: eval_every, eval_steps, eval_interval, val_every, val_check_interval
        save_every: save_steps, save_interval, checkpoint_every, every_n_train_steps, ckpt_every
        keep_recent: save_total_limit, save_top_k, keep_last, max_checkpoints
        keep_every: keep_every_n_steps, thinning, milestone_every
        sample_examples: num_samples, n_samples
    """

    batch: int = 64  # sequences per optimiser step, over all devices; in [1, inf)
    steps: int = 80000  # optimiser steps; in [1, inf)
    minutes: float = 0.0  # training time, instead of `steps`; 0: not used; in [0, inf)
    lr: float = 1e-4  # peak learning rate; in (0, inf)
    warmup: int = 0  # steps of linear warm-up; in [0, inf)
    optimizer: str | dict = "adamw"  # optimiser; options as in `optimizer.momentum`
    lr_schedule: str | dict = "cosine"  # learning rate after the warm-up
    lr_end: float = 1.0  # final learning rate as a share of the peak; 1: constant; in [0, 1]
    weight_decay: float = 0.01  # weight decay of matrices; none for norms and biases; in [0, inf)
    beta2: float = 0.999  # decay of Adam's second moment; in [0, 1)
    clip: float = 1.0  # maximum norm of the gradient; in (0, inf)
    ema: float = 0.9999  # decay of the averaged weights, used for evaluation; in [0, 1)
    accumulate: int = 1  # micro-batches per optimiser step; in [1, inf)
    seed: int = 0  # seed for weights, data order and noise; in [0, inf)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"  # Lightning precision
    strategy: str | dict = "ddp"  # how several devices train one model
    gradient_checkpointing: bool = False  # compute blocks again in the backward pass: less memory
    compile: bool = False  # compile the backbone with torch.compile
    threads: int = 0  # CPU threads per process; 0: OMP_NUM_THREADS, else one; in [0, inf)
    loggers: tuple = ("tensorboard",)  # besides metrics.jsonl, which is always written
    callbacks: tuple = ()  # callbacks of Lightning
    predictions: tuple = ("file",)  # writers of samples: {kind: file, fields: [prompt, answer]}
    log_every: int = 20  # steps between lines of metrics.jsonl; in [1, inf)
    evaluate_every: int = 0  # steps between validations; 0: at least ten validations; in [0, inf)
    evaluate_examples: int = 0  # examples of validation, the first; 0: all; in [0, inf)
    evaluate_batch: int = 0  # examples per evaluation batch; 0: at most 2^26 logits; in [0, inf)
    save_every: int = 0  # steps between milestones, beside best and last; 0: none; in [0, inf)
    keep_recent: int = 2  # newest milestones, which are all kept; in [0, inf)
    keep_every: int = 1  # older milestones are kept at multiples of it; 0: none; in [0, inf)
    sample_examples: int = 100  # validation prompts to sample answers for; in [0, inf)
