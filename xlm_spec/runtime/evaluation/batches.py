"""How a trained model computes: in the precision of its run, in batches that fit into memory."""

import gc
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import wraps
from typing import Any

import torch

from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.loading.data_module import eval_batch_size
from xlm_spec.runtime.machine.devices import ShortElsewhere
from xlm_spec.runtime.machine.shortage import is_shortage
from xlm_spec.runtime.weights.load_model import TrainedModel

DTYPES = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


def precision_of(run: Run, device: torch.device) -> AbstractContextManager:
    """The context in which the steps of a run compute."""
    dtype = DTYPES.get(run.train.precision)
    return torch.autocast(device.type, dtype) if dtype else nullcontext()


def in_precision(function: Callable) -> Callable:
    """Computes a function of a trained model in the precision of its run."""

    @wraps(function)
    def computed(trained: TrainedModel, *arguments: Any, **named: Any) -> Any:
        with precision_of(trained.run, trained.device):
            return function(trained, *arguments, **named)

    return computed


def in_fitting_batches(function: Callable) -> Callable:
    """Computes a function of a trained model again, with half the batch, while memory is short.

    The batch is `train.evaluate_batch`; the noise of an example depends on it, so that all devices
    halve it.
    """

    @wraps(function)
    def computed(trained: TrainedModel, *arguments: Any, **named: Any) -> Any:
        while True:
            size = eval_batch_size(trained.run, trained.layout)
            try:
                return function(trained, *arguments, **named)
            except (RuntimeError, MemoryError) as e:
                if not is_shortage(e) or size == 1:
                    raise
                if not isinstance(e, ShortElsewhere):
                    trained.devices.shortage()
            smaller = halved(size)
            trained = replace(trained, run=trained.run.replace("memory", evaluate_batch=smaller))

    return computed


def halved(size: int) -> int:
    """Half the size of a batch that did not fit, when what it has left is freed."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    line = f"not enough memory for batches of {size}; continuing with {size // 2}"
    print(line, file=sys.stderr)
    return size // 2
