"""A rehearsal of training with a tiny backbone: the widths that process and sampler make.

It runs only if the backbone has learned absolute positions, and finds in a moment what would
otherwise stop the first step, or the first validation.
"""

from dataclasses import replace
from functools import partial

import torch

from xlm_spec.runtime.config.model import new_model, probe
from xlm_spec.runtime.config.positions import SETTING, is_limit, require, watch
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.evaluation.scoring import start_of
from xlm_spec.runtime.loading.data_module import DataModule, eval_batch_size
from xlm_spec.runtime.loading.layout import Layout
from xlm_spec.runtime.randomness import generator

ROWS = 32  # sequences of the objective; fewer if their logits need much memory
PROMPTS = 4  # sequences of the sampler
STEPS = 16  # decoding steps without growth after which the sampler stops
ROOM = 16  # positions of the tiny backbone for each of the run's


def rehearse(run: Run, layout: Layout, data: DataModule) -> None:
    """Raises Failed (X616) if the objective or the sampler of validation needs more positions.

    Their widths can depend on the data and on the model: every call of the model checks its own.
    """
    positions = run.settings.get(SETTING)
    if not isinstance(positions, int) or positions <= 0:
        return
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        limited = tiny(run, positions)
        model = new_model(limited)
        if is_limit(model, positions, partial(probe, limited)):
            try_objective(tiny(run, ROOM * positions), positions, layout, data)
            if run.train.sample_examples:
                try_sampler(tiny(run, ROOM * positions), positions, layout, data)


def tiny(run: Run, positions: int) -> Run:
    """The run with a tiny backbone."""
    backbone = replace(run.package.Config.small().backbone, positions=positions)
    return replace(run, config=replace(run.config, backbone=backbone))


class Widths:
    """The largest width that the model is given; `source` says by what."""

    def __init__(self, model: torch.nn.Module, source: str, positions: int):
        self.source, self.positions, self.most = source, positions, 0
        watch(model, ROOM * positions, self.see)

    def see(self, width: int) -> None:
        self.most = max(self.most, width)
        if width > ROOM * self.positions:  # the tiny backbone has no more
            self.check()

    def check(self) -> None:
        require(self.source, self.positions, self.most)


def try_objective(run: Run, positions: int, layout: Layout, data: DataModule) -> None:
    """The objective of the longest sequences."""
    model = new_model(run).eval()
    widths = Widths(model, "the objective gives the model", positions)
    x = data.longest(min(ROWS, eval_batch_size(run, layout)))
    run.package.objective(model, x, run.config, generator(run.train.seed, "rehearsal"))
    widths.check()


def try_sampler(run: Run, positions: int, layout: Layout, data: DataModule) -> None:
    """The first steps of the default sampler, and more while its sequences grow."""
    model = new_model(run).eval()
    name, sampler = next(iter(run.package.SAMPLERS.items()))
    widths = Widths(model, f"sampler `{name}` gives the model", positions)
    prompts = data.rows("val").take(slice(0, min(PROMPTS, eval_batch_size(run, layout))))
    start = start_of(layout, prompts, torch.device("cpu"))
    grown = most = 0
    states = sampler(model, run.config, start, generator(run.train.seed, "rehearsal"))
    for step, _ in enumerate(states):
        if widths.most > most:
            grown, most = step, widths.most
        if step - grown >= STEPS:
            break
    widths.check()
