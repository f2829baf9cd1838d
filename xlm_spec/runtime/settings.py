"""The settings of a run that belong to no method; read by the compiler too, so nothing is imported.

The comment behind a field is its meaning, and its range.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Data:
    """What is trained on.

    Also known as: dataset, datamodule, dataloader
        task: dataset, kind, name
        workers: num_workers, n_workers, num_dataloader_workers
        overfit: overfit_batches, debug
    """

    task: str = "star_easy"  # a task of the runtime
    fill: Literal["eos", "none"] = "none"  # what the rest of the room holds; the method decides
    overfit: bool = False  # train and validate on one batch
    workers: int = 0  # processes that load data; in [0, inf)


@dataclass(frozen=True)
class Train:
    """How it is trained. The optimiser is AdamW; the learning rate falls along half a cosine.

    Also known as: training, trainer, training_args, optimizer, optimiser, optim, hyperparameters
        batch: batch_size, global_batch_size, train_batch_size, per_device_train_batch_size, bs
        steps: max_steps, num_steps, n_steps, total_steps, train_steps, num_train_steps,
            iterations, max_iters
        lr: learning_rate, max_lr, peak_lr, base_lr
        warmup: warmup_steps, num_warmup_steps, warmup_iters, lr_warmup_steps
        lr_end: min_lr_ratio, min_lr_rate, final_lr_ratio
        weight_decay: wd, l2
        beta2: adam_beta2, beta_2, b2
        clip: grad_clip, gradient_clip, gradient_clip_val, grad_clip_norm, max_grad_norm, clip_norm
        ema: ema_decay, ema_rate
        accumulate: accumulate_grad_batches, gradient_accumulation_steps, accumulation_steps,
            grad_accum
        seed: random_seed, rng_seed
        precision: dtype, torch_dtype, mixed_precision, amp
        compile: torch_compile
        log_every: log_every_n_steps, logging_steps, log_interval, log_freq
        evaluate_every: eval_every, eval_steps, eval_interval, val_every, val_check_interval
        sample_examples: num_samples, n_samples
    """

    batch: int = 64  # sequences per optimiser step, over all devices; in [1, inf)
    steps: int = 80000  # of the optimiser; in [1, inf)
    lr: float = 1e-4  # highest learning rate; in (0, inf)
    warmup: int = 0  # steps in which the learning rate rises to it; in [0, inf)
    lr_end: float = 1.0  # last learning rate as a share of the highest; 1 is constant; in [0, 1]
    weight_decay: float = 0.01  # on matrices, not on norms and biases; in [0, inf)
    beta2: float = 0.999  # decay of AdamW's second moment; in [0, 1)
    clip: float = 1.0  # largest norm of the gradient; in (0, inf)
    ema: float = 0.9999  # decay of the averaged weights, which are evaluated; in [0, 1)
    accumulate: int = 1  # micro-batches per optimiser step; in [1, inf)
    seed: int = 0  # of weights, data order and noise; in [0, inf)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"  # in Lightning's words
    compile: bool = False  # torch.compile the backbone
    log_every: int = 20  # steps between lines of metrics.jsonl; in [1, inf)
    evaluate_every: int = 0  # steps from validation to validation; 0: at least ten; in [0, inf)
    sample_examples: int = 100  # validation prompts that are sampled for; in [0, inf)
