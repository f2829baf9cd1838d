"""The settings of a run that belong to no method; read by the compiler too, so nothing is imported.

The comment behind a field is its meaning, and its range.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Data:
    """What is trained on."""

    task: str = "star_easy"  # a task of the runtime
    fill: Literal["eos", "none"] = "none"  # what the rest of the room holds; the method decides
    overfit: bool = False  # train and validate on one batch
    workers: int = 0  # processes that load data; in [0, inf)


@dataclass(frozen=True)
class Train:
    """How it is trained. The optimiser is AdamW; the learning rate falls along half a cosine."""

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
