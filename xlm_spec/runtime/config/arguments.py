"""The command-line flags of a package."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any


def path(text: str) -> Path:
    """A path. An empty one, as from an unset variable, would mean the current folder."""
    return Path(name(text))


def name(text: str) -> str:
    if not text.strip():
        raise ArgumentTypeError("is empty")
    return text


def common(p: ArgumentParser) -> None:
    help = "task to train on: a name or a file (default: the task of the spec)"
    p.add_argument("--task", type=name, help=help)
    help = "change a setting by its dotted name, e.g. train.batch=64"
    p.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="sets", help=help
    )


def train(p: ArgumentParser) -> None:
    size(p)
    p.add_argument("--config", type=path, help="config.yaml of an earlier run to repeat")
    p.add_argument("--run", type=path, metavar="DIR", help="folder of this run")
    budget = p.add_mutually_exclusive_group()
    help = "training time in minutes; use --steps for bit-for-bit repeatable runs"
    budget.add_argument("--minutes", type=float, help=help)
    budget.add_argument("--steps", type=int, help="number of optimiser steps")
    p.add_argument("--seed", type=int, help="seed for weights, data order and noise")
    p.add_argument(
        "--init",
        type=path,
        metavar="CHECKPOINT",
        help="weights to start from: a checkpoint, an export, a state dict or hf:USER/NAME",
    )
    p.add_argument(
        "--teacher",
        type=path,
        metavar="CHECKPOINT",
        help="model that losses read as model.teacher: a run folder, checkpoint or export",
    )
    p.add_argument("--resume", action="store_true", help="continue the run in --run")
    p.add_argument("--overfit", action="store_true", help="train and validate on one batch")
    devices(p, "each batch")
    help = "how several devices train one model: ddp or fsdp2 (sets train.strategy)"
    p.add_argument("--strategy", type=name, help=help)


def evaluate(p: ArgumentParser) -> None:
    trained(p)
    help = "model that losses read as model.teacher (default: that of training)"
    p.add_argument("--teacher", type=path, metavar="CHECKPOINT", help=help)
    help = "number of examples, the first of the split (default: all)"
    p.add_argument("--limit", type=int, metavar="N", help=help)
    help = "draws of the noise of each sequence, for a bound of its likelihood (default: 1)"
    p.add_argument("--draws", type=int, default=1, metavar="K", help=help)
    help = "judge of samples: id, folder or GGUF file of a causal model of transformers"
    p.add_argument("--judge", type=name, metavar="MODEL", help=help)
    help = "other text to score, e.g. wikitext2 or text,file=a.txt"
    p.add_argument(
        "--zero-shot", action="append", default=[], metavar="TASK[,KEY=VALUE]", help=help
    )
    help = "split to evaluate (default: test)"
    p.add_argument("--split", choices=["val", "test"], default="test", help=help)
    p.add_argument("--json", action="store_true", help="print one JSON object on stdout")


def frontier(p: ArgumentParser) -> None:
    source(p)
    help = "id, folder or GGUF file of a causal model of transformers, or smollm2"
    p.add_argument("--judge", type=name, required=True, metavar="MODEL", help=help)
    help = "folder for frontier.json, .csv, .md and .svg (default: frontier)"
    p.add_argument("--to", type=path, default=Path("frontier"), metavar="DIR", help=help)
    help = "name of a sampler in the spec; repeat it for several (default: all)"
    p.add_argument("--sampler", action="append", default=[], type=name, help=help)
    help = "temperatures of the tokens (default: 0.6 to 1.1)"
    p.add_argument("--temperatures", type=name, metavar="T,T", help=help)
    help = "step counts, or tokens per step (default: three)"
    p.add_argument("--steps", type=name, metavar="N,N", help=help)
    help = "samples of a point (default: 64)"
    p.add_argument("-n", type=int, default=64, help=help)
    p.add_argument("--batch", type=int, metavar="B", help="samples per batch")


def lm_eval(p: ArgumentParser) -> None:
    source(p)
    help = "tasks of the harness, e.g. lambada_openai,my_task"
    p.add_argument("--tasks", type=name, required=True, metavar="NAME,NAME", help=help)
    help = "folder with task files of your own"
    p.add_argument("--include", action="append", default=[], type=path, metavar="DIR", help=help)
    p.add_argument("--limit", type=int, metavar="N", help="examples of each task (default: all)")
    help = "name of a sampler in the spec (default: the first)"
    p.add_argument("--sampler", type=name, help=help)
    help = "draws of the noise of each sequence, for a bound of its likelihood (default: 1)"
    p.add_argument("--draws", type=int, default=1, metavar="K", help=help)
    p.add_argument("--batch", type=int, metavar="B", help="sequences per batch (default: 16)")


def generate(p: ArgumentParser) -> None:
    trained(p)
    help = "number of samples per prompt; without prompts, number of test prompts (default: 1)"
    p.add_argument("-n", type=int, default=1, help=help)
    source = p.add_mutually_exclusive_group()
    help = "prompt to continue"
    source.add_argument("--prompt", action="append", default=[], metavar="TEXT", help=help)
    help = "text with blanks to fill: _ for a character or subword, ___ for a word"
    source.add_argument("--fill", action="append", default=[], metavar="TEXT", help=help)
    p.add_argument("--seed", type=int, default=0, help="seed for sampling (default: 0)")
    p.add_argument("--json", action="store_true", help="print one JSON object per line on stdout")
    p.add_argument("--watch", action="store_true", help="show every decoding step")
    help = "write a page of trajectories, for all samplers unless --sampler names one"
    p.add_argument("--html", type=path, metavar="FILE", help=help)


def export(p: ArgumentParser) -> None:
    source(p)
    p.add_argument("--to", type=path, required=True, metavar="DIR", help="new folder")


def push(p: ArgumentParser) -> None:
    help = "folder of an export, e.g. with an edited model card"
    source(p).add_argument("--from", type=path, metavar="DIR", dest="source", help=help)
    help = "repository on the hub, created if it does not exist"
    p.add_argument("--to", type=name, required=True, metavar="USER/NAME", help=help)
    p.add_argument("--private", action="store_true", help="create a private repository")


def info(p: ArgumentParser) -> None:
    size(p)
    p.add_argument("--config", type=path, help="config.yaml of a run")
    p.add_argument("--where", action="store_true", help="show which layer set each value")


def doctor(p: ArgumentParser) -> None:
    size(p)
    help = "sequences per optimiser step (sets train.batch)"
    p.add_argument("--batch", type=int, metavar="B", help=help)


def size(p: ArgumentParser) -> None:
    help = "named set of settings of the task: cpu or paper (default: paper)"
    p.add_argument("--size", type=name, help=help)


def devices(p: ArgumentParser, what: str) -> None:
    help = f"number of devices, of each node, that share {what} (default: 1)"
    p.add_argument("--devices", type=int, default=1, help=help)
    help = "number of nodes; torchrun or srun starts the processes, one for each device"
    p.add_argument("--nodes", type=int, help=help)


def source(p: ArgumentParser) -> Any:
    """Which checkpoint."""
    group = p.add_mutually_exclusive_group(required=True)
    help = "run folder, for its best weights, or one of its checkpoints; it must be your own"
    group.add_argument("--run", type=path, metavar="DIR", help=help)
    help = "checkpoint file, folder of an export, or hf:USER/NAME on the hub"
    group.add_argument("--checkpoint", type=path, metavar="FILE", help=help)
    return group


def trained(p: ArgumentParser) -> None:
    """Which checkpoint, which sampler, how many examples at once, and on which devices."""
    source(p)
    help = "examples per batch (default: at most 2^26 logits); noise and so figures depend on it"
    p.add_argument("--batch", type=int, metavar="B", help=help)
    help = "name of a sampler in the spec (default: the first)"
    p.add_argument("--sampler", type=name, help=help)
    devices(p, "the batches")
