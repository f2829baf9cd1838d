"""Components that ship, as files of an author's own, with a few things wrong."""

import random
import re
from pathlib import Path

from methods import INSERTED, text

from xlm_spec.compiler.components import COMPONENTS, values

SLOTS: dict[str, dict[str, str]] = {  # the folder of an axis -> where a spec names a value of it
    "process": {"noise": "{process: ./mine.py}"},
    "schedule": {"noise": "{process: mask, schedule: ./mine.py}"},
    "time": {"noise": "{process: mask, time: ./mine.py}"},
    "count": {"noise": "{process: mask, count: ./mine.py}"},
    "target": {"target": "./mine.py"},
    "loss": {"loss": "[./mine.py: {weight: elbo}]"},
    "weight": {"loss": "[cross_entropy: {weight: ./mine.py}]"},
    "sampler": {"sampler": "./mine.py"},
    "order": {"sampler": "{kind: fixed_budget, order: ./mine.py}"},
    "tokens": {"sampler": "{kind: ancestral, tokens: ./mine.py}"},
    "remasking": {"sampler": "{kind: remask, remasking: ./mine.py}"},
    "wrap": {"sampler": "{kind: ancestral, wrap: ./mine.py}"},
    "corrector": {"sampler": "{kind: ancestral, corrector: ./mine.py}"},
    "stop": {**INSERTED, "sampler": "{kind: insertion, stop: ./mine.py}"},
    "backbone": {"backbone": "./mine.py"},
    "head": {
        "loss": "[cross_entropy: {weight: elbo}, ./uses_mine.py]",
        "head": "./mine.py",
    },
    "roll_in": {
        "noise": "{process: mask, roll_in: ./mine.py}",
        "target": "[masked_tokens, ./drawn_tokens.py]",
        "loss": "[cross_entropy: {of: masked_tokens}, cross_entropy: {of: drawn_tokens}]",
    },
}
FILES = Path(__file__).parent / "random_files"
OTHER = {  # custom components, to be spoiled too, by the folder of their axis
    "corrector": ("hold",),
    "head": ("magnitude", "second_logits"),
    "loss": ("alone", "second_cross_entropy"),
    "roll_in": ("unrolled",),
    "time": ("rising",),
    "weight": ("late", "seen_share"),
    "wrap": ("guided",),
    "backbone": ("reads_packed",),
}
WORDS = ["Examples", "State", "GapState", "Vocab", "Schedule", "Interval", "Tensor", "int", "Any"]
WORDS += [
    "x",
    "t",
    "s",
    "z",
    "hidden",
    "tokens",
    "valid",
    "masked",
    "model",
    "rng",
    "vocab",
    "draw",
]
WORDS += [
    "draw",
    "schedule",
    "late_schedule",
    "state",
    "target",
    "step",
    "settings",
    "mine",
    "corrupt",
]
BESIDE = ("drawn_tokens", "magnitude", "second_logits", "uses_mine")  # files that specs name
SIGNS = [
    "",
    "",
    "",
    "*",
    "(",
    ")",
    "[]",
    ":",
    "-",
    "@x",
    "#",
    "'''",
    "\t",
    "\n\n",
    "\\d",
    "x",
    "1e999",
]
SIGNS += [
    "int",
    "float = ",
    "None",
    "{[]: 1}",
    "lambda: 0",
    "self",
    "async ",
    "-> int",
    "Literal[1]",
]
SIGNS += [
    "Literal[]",
    "; in [0, 1]",
    "Iterator[",
    "State",
    "Tensor",
    "import os\n",
    "class A: pass\n",
]
SIGNS += ["x.step + 1", "vocab.nope", "model.nope(hidden)", "model.backbone.x", "'Tensor'", "1.5"]
SIGNS += ["AUXILIARY = True\n", "ELBO_ALONE = True\n", 'LIKE = "stop_logit"\n', "segments: Tensor"]
SIGNS += [
    "a_schedule: Schedule",
    "steps: int, ",
    "hidden: Tensor, ",
    "from .drawn_tokens import A\n",
]
SIGNS += ["def f(): pass\n", "import numpy\n", "ELBO_TERM = 3\n", "COUNT = []\n", "SMALL = 3\n"]
SIGNS += ['EVEN = {"a": "b"}\n', "EXACT_AT = {}\n", "# of p; in [0, 1\n", "  # > 0"]


def shipped() -> list[tuple[str, str]]:
    """Each with its spec: (the component's source, the spec's text).

    Without the weights that only name a function of the count: one's own has a function of its own.
    """
    found = []
    for folder, slot in SLOTS.items():
        for value in values(folder):
            source = (COMPONENTS / folder / f"{value}.py").read_text(encoding="utf-8")
            source = source.replace(f"def {value}(", "def mine(")
            source = source.replace("class TokenLogits", "class Mine")  # the loss uses that one
            if "def " in source:
                found.append((source, text(**slot)))
        for value in OTHER.get(folder, ()):
            source = (FILES / f"{value}.py").read_text().replace(f"def {value}(", "def mine(")
            used = [h for h in ("magnitude", "second_logits") if f"model.{h}" in source]
            heads = {"head": f"[{', '.join(f'./{h}.py' for h in used)}]"} if used else {}
            found.append((source, text(**slot | heads)))
    return found


def copy_beside(folder: Path) -> None:
    """The files that the specs name, beside the component."""
    for name in BESIDE:
        (folder / f"{name}.py").write_text((FILES / f"{name}.py").read_text(), encoding="utf-8")


def spoiled(source: str, rng: random.Random) -> str:
    """With other names in some places, or with a few lines changed."""
    if rng.random() < 0.6:
        for _ in range(rng.choice([1, 1, 2])):
            source = renamed(source, rng)
        return source
    return with_other_lines(source, rng)


def renamed(source: str, rng: random.Random) -> str:
    """A name replaced by another one, in one place; the file stays Python, mostly."""
    found = [*re.finditer(r"\b[A-Za-z_]\w*\b", source)]
    old, new = rng.choice(found), rng.choice([*(m[0] for m in found), *WORDS])
    return source[: old.start()] + new + source[old.end() :]


def with_other_lines(source: str, rng: random.Random) -> str:
    """A few lines left out, written twice, put in, or with a part replaced."""
    lines = source.split("\n")
    for _ in range(rng.choice([1, 1, 2, 3])):
        i = rng.randrange(len(lines))
        line = lines[i]
        start, end = sorted(rng.randrange(len(line) + 1) for _ in range(2))
        lines[i : i + 1] = rng.choice(
            [
                [],
                [line, rng.choice(lines)],
                [line, rng.choice(SIGNS)],
                [line[:start] + rng.choice(SIGNS) + line[end:]],
                [line[:start] + rng.choice(SIGNS) + line[start:]],
            ]
        )
        lines = lines or [""]
    return "\n".join(lines)
