"""Components that ship, as files of an author's own, with a few things wrong."""

import random

from making import INSERTED, ROOT, text

COMPONENTS = ROOT / "templates" / "components"
SLOTS: dict[str, dict[str, str]] = {  # the folder of an axis -> where a spec names a value of it
    "process": {"noise": "{process: ./mine.py}"},
    "schedule": {"noise": "{process: mask, schedule: ./mine.py}"},
    "time": {"noise": "{process: mask, time: ./mine.py}"},
    "count": {"noise": "{process: mask, count: ./mine.py}"},
    "target": {"target": "./mine.py"},
    "loss": {"loss": "[./mine.py: {weight: elbo}]"},
    "weight": {"loss": "[cross_entropy: {weight: ./mine.py}]"},
    "sampler": {"sampler": "./mine.py"},
    "sites": {"sampler": "{kind: fixed_budget, sites: ./mine.py}"},
    "tokens": {"sampler": "{kind: ancestral, tokens: ./mine.py}"},
    "remasking": {"sampler": "{kind: remask, remasking: ./mine.py}"},
    "outer": {"sampler": "{kind: ancestral, outer: ./mine.py}"},
    "stop": {**INSERTED, "sampler": "{kind: insertion, stop: ./mine.py}"},
    "backbone": {"backbone": "./mine.py"},
}
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
SIGNS += ["def f(): pass\n", "BOUND = 3\n", "COUNT = []\n", "SMALL = 3\n", 'EVEN = {"a": "b"}\n']


def shipped() -> list[tuple[str, str]]:
    """Each with its spec: (the component's source, the spec's text).

    Without the weights that only name a function of the count: one's own has a function of its own.
    """
    found = []
    for folder, slot in SLOTS.items():
        for file in sorted((COMPONENTS / folder).glob("*.py")):
            source = file.read_text(encoding="utf-8").replace(f"def {file.stem}(", "def mine(")
            if "def " in source:
                found.append((source, text(**slot)))
    return found


def spoiled(source: str, rng: random.Random) -> str:
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
