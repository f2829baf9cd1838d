"""Specs drawn from the components: what a file of a component states is what may be drawn.

`drawn` makes the parts of a spec as YAML. With `stray` some choices are made without regard to the
rest, and the form is spoiled here and there, so that most are refused.
"""

import json
import math
import random
from collections.abc import Callable, Iterable

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import Axis, cards, settings, tasks
from xlm_spec.compiler.components import Component, Parameter
from xlm_spec.compiler.method import time_conditioned
from xlm_spec.compiler.sampling import starts_from

HUGE = [10**6, 10**12, 10**17]
ODD = [None, True, -1, 0, 2.5, 1e308, "x", "1_000", "no", "", [], [1], {}, {"kind": "x"}]


class Drawing:
    """The choices of one spec. Numbers without an end go up to `most`."""

    def __init__(self, rng: random.Random, stray: float = 0.0, most: int = 6):
        self.rng, self.stray, self.most = rng, stray, most

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def value(self, axis: Axis, fits: Callable[[Component], bool] = lambda c: True) -> Component:
        """A component that fits; now and then any."""
        known = list(cards(axis).values())
        found = [c for c in known if fits(c)]
        return self.rng.choice(known if self.chance(self.stray) or not found else found)

    def number(self, p: Parameter) -> object:
        """Within the range of a parameter, or at its edge."""
        if p.choices:
            return self.rng.choice(p.choices)
        if p.type in ("bool", "str"):
            return self.chance(0.5) if p.type == "bool" else self.rng.choice(["a", "b c", "é/x"])
        assert p.range, f"`{p.name}` has no range"
        low, high = p.range.low, p.range.high
        if p.type == "int":
            first = int(low) + (not p.range.with_low)
            last = int(high) - (not p.range.with_high) if math.isfinite(high) else first + self.most
            return self.rng.choice([first, last, self.rng.randint(first, last)])
        end = high if math.isfinite(high) else max(low, 0) + self.most
        near = (end - low) * 1e-6
        edges = [low if p.range.with_low else low + near]
        edges += [end if p.range.with_high or end != high else end - near]
        return self.rng.choice([*edges, self.rng.uniform(*edges)])

    def numbers(self, parameters: Iterable[Parameter]) -> dict[str, object]:
        """Half of them."""
        return {p.name: self.number(p) for p in parameters if self.chance(0.5)}

    def one(self, c: Component) -> object:
        """A value of an axis, with some of its parameters."""
        given = self.numbers(c.parameters)
        for whole, parts in c.constants.get("EVEN", {}).items():
            if {whole, parts} & set(given) and self.chance(0.8):
                given[parts] = self.rng.randint(1, self.most)
                given[whole] = 2 * given[parts] * self.rng.randint(1, self.most)
        return {"kind": c.value, **given} if given or self.chance(0.3) else c.value

    def item(self, c: Component, **more: object) -> object:
        """The same in a list."""
        given = self.numbers(c.parameters) | more
        return {c.value: given} if given or self.chance(0.3) else c.value

    # ---- the parts -------------------------------------------------------------------------------

    def parts(self) -> dict[str, object]:
        process = self.value(axes.PROCESS)
        targets = self.targets(process)
        losses = [self.loss(t) for t in targets]
        several = self.rng.choice([0, 0, 1, 2, 3])
        named = {f"s_{i}x": self.sampler(process) for i in range(several)}
        return {
            "noise": self.noise(process),
            "target": self.listed([self.item(t) for t in targets]),
            "loss": self.listed(losses),
            "sampler": named or self.sampler(process),
            "backbone": self.one(self.backbone()),
            **self.experiment(),
        }

    def listed(self, items: list) -> object:
        return items[0] if len(items) == 1 and self.chance(0.5) else items

    def noise(self, process: Component) -> dict[str, object]:
        """The axes that the process reads, each given or left to its default."""
        corrupt = set(process.functions["corrupt"].wires)
        out = {axes.PROCESS.key: self.one(process)}
        count = self.value(axes.COUNT) if self.chance(0.5) else None
        read = (
            {w for f in count.functions.values() for w in f.wires} if count else {"t", "schedule"}
        )
        read = corrupt | (read if axes.COUNT.wire in corrupt else set())
        optional = [(axes.COUNT, count), *((a, None) for a in (axes.SCHEDULE, axes.TIME))]
        for axis, chosen in optional:
            if axis.wire in read and (chosen or (axis != axes.COUNT and self.chance(0.5))):
                out[axis.key] = self.one(chosen or self.value(axis))
            elif self.chance(self.stray):
                out[axis.key] = self.one(self.value(axis))
        return out

    def targets(self, process: Component) -> list[Component]:
        made = {*process.types["Noised"], "model", "x", "rng", "vocab", "t", "chosen", "schedule"}
        hidden = made & set(process.types["Noised"]) - {"tokens", "valid"}
        first = self.value(
            axes.TARGET,
            lambda c: set(c.main.wires) <= made and (hidden & set(c.main.wires) or not hidden),
        )
        more = self.value(axes.TARGET, lambda c: set(c.main.wires) <= made)
        return [first, more] if more != first and self.chance(0.6) else [first]

    def loss(self, target: Component) -> object:
        c = self.value(axes.LOSS, lambda c: c.main.wires["target"] == target.main.returns)
        weight = {axes.WEIGHT.key: self.one(self.value(axes.WEIGHT))} if self.chance(0.5) else {}
        return self.item(c, **weight)

    def sampler(self, process: Component) -> object:
        """A loop that goes on from the process' prior, with the rules that it reads."""
        prior = process.functions["prior"].returns
        loop = self.value(axes.SAMPLER, lambda c: starts_from(c) == prior)
        reads = {w for f in loop.functions.values() for w in f.wires}
        inner = {}
        for axis in axes.RULES:
            wanted = axis.wire in reads and (not axis.default or self.chance(0.5))
            if wanted or self.chance(self.stray):
                inner[axis.key] = self.one(self.value(axis))
        outer = self.value(axes.OUTER, lambda c: starts_from(c) == prior)
        if self.chance(self.stray) or (starts_from(outer) == prior and self.chance(0.3)):
            inner[axes.OUTER.key] = self.one(outer)
        given = {"kind": loop.value, **self.numbers(loop.parameters), **inner}
        return loop.value if len(given) == 1 and self.chance(0.5) else given

    def backbone(self) -> Component:
        """More often one that every method may have."""
        return self.value(axes.BACKBONE, lambda c: not time_conditioned(c) or self.chance(0.4))

    def experiment(self) -> dict[str, object]:
        """What a spec says of data and training."""
        run, out = settings(), {}
        if self.chance(0.4):
            name = self.rng.choice([*tasks(), "./mine.py"])
            fields = [p for p in run.fields["Data"] if p.name not in ("task", "fill")]
            options = self.numbers((*fields, *tasks().get(name, ())))
            out["data"] = {"task": name, **options}
        if self.chance(0.4):
            out["train"] = self.numbers(run.fields["Train"])
        if self.chance(0.3):
            out |= {"title": "Drawn, é", "paper": "arXiv:0000.00000"}
        return out

    # ---- what is wrong ---------------------------------------------------------------------------

    def spoiled(self, node: object) -> object:
        """A copy in which some keys are misspelt, gone or new, and some values are odd."""
        if self.chance(self.stray / 8):
            return self.rng.choice([*ODD, *HUGE, self.word()])
        if isinstance(node, list):
            again = [self.spoiled(v) for v in node]
            return again + again[:1] if self.chance(self.stray / 8) else again
        if not isinstance(node, dict):
            return node
        out = {}
        for key, v in node.items():
            if not self.chance(self.stray / 8):
                out[self.misspelt(key) if self.chance(self.stray / 8) else key] = self.spoiled(v)
        return out | ({self.word(): self.rng.choice(ODD)} if self.chance(self.stray / 8) else {})

    def word(self) -> str:
        """A word of the language, or one by which other code calls a value."""
        c = self.value(self.rng.choice(axes.AXES))
        return self.rng.choice([c.value, *c.synonyms, *(p.name for p in c.parameters)])

    def misspelt(self, word: str) -> str:
        i = self.rng.randrange(len(word) + 1)
        return word[:i] + self.rng.choice(["", "x", "_", "-", word[i : i + 1]]) + word[i + 1 :]


def drawn(rng: random.Random, stray: float = 0.0, most: int = 6) -> dict[str, str]:
    """The parts of a spec, each as YAML."""
    drawing = Drawing(rng, stray, most)
    parts = drawing.spoiled(drawing.parts())
    parts = parts if isinstance(parts, dict) else {}
    return {k: json.dumps(v, ensure_ascii=False) for k, v in parts.items() if k}


def whole(parts: dict[str, str], name: str) -> str:
    """The text of a spec."""
    return "\n".join(["xlm_spec: 1", f"name: {name}", *(f"{k}: {v}" for k, v in parts.items())])
