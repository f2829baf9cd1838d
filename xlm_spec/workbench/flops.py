"""The cost of a training step in floating-point operations."""

from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from xlm_spec.runtime.config.model import build_model
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.evaluation.scoring import training_loss
from xlm_spec.runtime.loading.layout import Layout
from xlm_spec.runtime.randomness import generator


def step_of(run: Run, layout: Layout) -> Callable[[], None]:
    """A training step of the run, with new weights and a batch of validation rows."""
    rows = run.task.rows("val")
    batch = torch.arange(run.train.batch) % len(rows.prompt)
    x = layout.examples(rows.take(batch))
    model, rng = build_model(run, layout.max_length), generator("speed")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)

    def step() -> None:
        loss, _ = training_loss(run, model, x, rng, scale=1.0)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), run.train.clip)
        optimizer.step()

    return step


def flops_of(step: Callable[[], object]) -> float:
    """FLOPs of matrix products and attention, forward and backward, by torch's counter."""
    with FlopCounterMode(display=False) as counter:
        step()
    return float(counter.get_total_flops())
