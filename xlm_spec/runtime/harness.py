"""A method as Lightning trains it: objective -> sum -> mean -> log."""

import json
import math
from pathlib import Path

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from xlm_spec.runtime.choose import Run, model_of
from xlm_spec.runtime.data import Part
from xlm_spec.runtime.layout import Layout
from xlm_spec.runtime.randomness import generator, seed_of
from xlm_spec.runtime.rows import Rows
from xlm_spec.runtime.scoring import Scores, draw, nats, sampling_generator, start_of, to


class Harness(LightningModule):
    """Composed of a package's parts. `scale`: mean free tokens of a training sequence."""

    def __init__(self, run: Run, layout: Layout, scale: float, folder: Path):
        super().__init__()
        self.run, self.layout, self.scale, self.folder = run, layout, scale, folder
        torch.manual_seed(seed_of(run.train.seed, "weights"))
        self.model = model_of(run, layout.room)
        if run.train.compile:
            self.model.backbone.compile()
        self.scores = Scores(run)
        self.noted: dict[str, Tensor] = {}  # means over the micro-batches of this step so far

    def configure_optimizers(self):
        train = self.run.train
        matrices = [p for p in self.model.parameters() if p.ndim > 1]
        others = [p for p in self.model.parameters() if p.ndim <= 1]
        groups = [
            {"params": matrices, "weight_decay": train.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        betas, fused = (0.9, train.beta2), train.precision == "32-true"
        optimizer = torch.optim.AdamW(groups, lr=train.lr, betas=betas, fused=fused)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.lr_share)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def lr_share(self, step: int) -> float:
        """Linear warm-up, then half a cosine down to `lr_end`."""
        train = self.run.train
        rise = min(1.0, (step + 1) / (train.warmup + 1))
        done = min(1.0, max(0, step - train.warmup) / max(1, train.steps - train.warmup))
        fall = train.lr_end + (1 - train.lr_end) * (1 + math.cos(math.pi * done)) / 2
        return rise * fall

    def training_step(self, batch: Part, batch_idx: int) -> Tensor:
        """Noise and dropout depend on the part of the global batch, not on who computes it."""
        where = (self.run.train.seed, batch.step, batch.part)
        torch.manual_seed(seed_of(*where, "dropout"))
        rng = generator(*where, "noise", device=self.device)
        terms = self.run.package.objective(self.model, batch.x, self.run.config, rng)
        means = {k: v.mean() / self.scale for k, v in terms.items()}
        loss = torch.stack(list(means.values())).sum()
        self.note({"loss": loss, **(means if len(means) > 1 else {})}, batch_idx)
        return loss

    def note(self, values: dict[str, Tensor], batch_idx: int) -> None:
        """Logs the mean over all parts of the global batch, at the steps that are logged."""
        step, parts = self.global_step + 1, self.run.train.accumulate
        if step % self.run.train.log_every:  # as Lightning's logger does
            return
        if batch_idx % parts == 0:
            self.noted = dict.fromkeys(values, torch.zeros((), device=self.device))
        for key, value in values.items():
            self.noted[key] = self.noted[key] + value.detach() / parts
        if batch_idx % parts == parts - 1:
            told = {f"train/{k}": v for k, v in self.noted.items()}
            self.log_dict(told, sync_dist=True)
            self.log("step", float(step))

    def validation_step(self, batch: tuple[int, Rows], batch_idx: int) -> None:
        first, rows = batch
        rng = generator(self.run.train.seed, "validation", first, device=self.device)
        self.scores.add_loss(nats(self.run, self.layout, self.model, rows, rng), self.scale)
        wanted = self.run.train.sample_examples
        left = min(wanted, self.run.task.samples or wanted) - first
        if left > 0:
            self.sample(first, rows.take(slice(0, left)), new=batch_idx == 0)

    def sample(self, first: int, rows: Rows, new: bool) -> None:
        """Scores what the default sampler writes for some prompts, and keeps it in predictions/.

        `new`: in a file that begins with them.
        """
        sampler = next(iter(self.run.package.SAMPLERS))
        rng = sampling_generator(self.run, sampler, first, self.device)
        start = start_of(self.layout, rows, self.device)
        answers = draw(self.run, self.layout, self.model, sampler, start, rng).answers
        self.scores.add_answers(answers.to(self.device), to(rows, self.device))
        write_predictions(
            self.folder / "predictions" / f"val-{self.global_step:07d}-{self.global_rank}.jsonl",
            self.run,
            rows,
            answers,
            "w" if new else "a",
        )

    def on_validation_epoch_end(self) -> None:
        found = self.scores.compute(answers=self.run.train.sample_examples > 0)
        self.log_dict({f"val/{k}": v for k, v in found.items()})
        self.log("step", float(self.global_step))
        self.scores.reset()

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["xlm_spec"] = self.run.as_dict()
        checkpoint["words"] = self.run.task.words.state


def write_predictions(file: Path, run: Run, rows: Rows, answers: Tensor, mode: str) -> None:
    """One JSON object a line: prompt, answer, truth."""
    decode = run.task.words.decode
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open(mode, encoding="utf-8", newline="\n") as out:
        for prompt, n, answer, truth in zip(
            rows.prompt.tolist(),
            rows.prompt_length.tolist(),
            answers.tolist(),
            rows.truths.tolist(),
            strict=True,
        ):
            told = {
                "prompt": decode(prompt[:n]),
                "answer": decode([t for t in answer if t >= 0]),
            }
            if run.task.ends:  # running text has no truth
                told["truth"] = decode([t for t in truth if t >= 0])
            out.write(json.dumps(told) + "\n")
