"""The flags of each command of a package."""

from argparse import ArgumentParser
from pathlib import Path


def common(p: ArgumentParser) -> None:
    p.add_argument("--task", help="what it is trained on: a name, or a file (default: the spec's)")
    told = "a number by its dotted name, as in train.batch=64"
    p.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="sets", help=told
    )


def train(p: ArgumentParser) -> None:
    p.add_argument("--size", help="numbers that a task names: cpu, paper (default: paper)")
    p.add_argument("--config", type=Path, help="a config.yaml of an earlier run")
    p.add_argument("--run", type=Path, metavar="DIR", help="folder of this run")
    budget = p.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=float, help="fix the number of steps from this")
    budget.add_argument("--steps", type=int, help="number of optimiser steps")
    p.add_argument("--seed", type=int, help="of weights, data order and noise")
    p.add_argument("--init", type=Path, metavar="CHECKPOINT", help="weights to start from")
    p.add_argument("--resume", action="store_true", help="go on with the run in --run")
    p.add_argument("--overfit", action="store_true", help="train and validate on one batch")
    p.add_argument("--devices", type=int, default=1, help="that share each batch")


def evaluate(p: ArgumentParser) -> None:
    trained(p)
    told = "which examples (default: test)"
    p.add_argument("--split", choices=["val", "test"], default="test", help=told)
    p.add_argument("--json", action="store_true", help="one JSON object on stdout")


def generate(p: ArgumentParser) -> None:
    trained(p)
    p.add_argument("-n", type=int, default=1, help="samples of each prompt; test prompts if none")
    given = p.add_mutually_exclusive_group()
    told = "a text to go on from"
    given.add_argument("--prompt", action="append", default=[], metavar="TEXT", help=told)
    told = "a text with blanks: _ for a character or subword, ___ for a word"
    given.add_argument("--fill", action="append", default=[], metavar="TEXT", help=told)
    p.add_argument("--seed", type=int, default=0, help="of what is drawn")
    p.add_argument("--json", action="store_true", help="one JSON object a line on stdout")
    p.add_argument("--watch", action="store_true", help="show every step")
    told = "a page of trajectories, of every sampler unless one is named"
    p.add_argument("--html", type=Path, metavar="FILE", help=told)


def info(p: ArgumentParser) -> None:
    p.add_argument("--size", help="numbers that a task names")


def trained(p: ArgumentParser) -> None:
    """Which network, and which of its samplers."""
    source = p.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", type=Path, metavar="DIR", help="its best checkpoint")
    source.add_argument("--checkpoint", type=Path, metavar="FILE", help="any checkpoint")
    p.add_argument("--sampler", help="by its name in the spec (default: the first)")
