"""What a training step costs, in floating-point operations."""

from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from xlm_spec.runtime.choose import Run, model_of
from xlm_spec.runtime.layout import Layout
from xlm_spec.runtime.randomness import generator


def step_of(run: Run, layout: Layout) -> Callable[[], None]:
    """A training step of the run on a batch of validation rows, weights new."""
    rows = run.task.rows("val")
    batch = torch.arange(run.train.batch) % len(rows.prompt)
    x = layout.examples(rows.take(batch))
    model, rng = model_of(run, layout.room), generator("speed")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)

    def step() -> None:
        terms = run.package.objective(model, x, run.config, rng)
        loss = torch.stack(list(terms.values())).sum(0).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), run.train.clip)
        optimizer.step()

    return step


def flops_of(step: Callable[[], object]) -> float:
    """Products of matrices and attention, forward and backward, by torch's counter."""
    with FlopCounterMode(display=False) as counter:
        step()
    return float(counter.get_total_flops())
