"""Specs drawn from the components: what a file of a component states is what may be drawn.

Shipped components, and custom ones (`random_files`).

`drawn` makes the parts of a spec as YAML. With `stray` some choices are made without regard to the
rest, and the form is spoiled here and there, so that most are refused.
"""

import json
import math
import random
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from random_files import custom_components

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import Axis, components_of, is_clock
from xlm_spec.compiler.components import Component, Parameter
from xlm_spec.compiler.middle.likelihood import fits_target, has_rate
from xlm_spec.compiler.middle.network import methods, time_conditioned, used_of, used_of_model
from xlm_spec.compiler.middle.sampling import starts_from
from xlm_spec.compiler.runtime_settings import settings, tasks

PUBLIC = ("__init__", "forward", "train_pass", "open_cache", "decode")
HUGE = [10**6, 10**12, 10**17]
OF_PROCESS = (axes.COUNT, axes.LOSS, axes.SAMPLER)  # of a family with its own process
LEAST = {"longest": 16}  # a limit of the length, which the sequences of the tests keep
MADE = {"model", "x", "rng", "vocab", "t", "corrupted", "schedule"}  # wires beside the fields
ODD = [None, True, -1, 0, 2.5, 1e308, "x", "1_000", "no", "", [], [1], {}, {"kind": "x"}]


class Drawing:
    """The choices of one spec. Numbers without an end go up to `most`."""

    def __init__(self, rng: random.Random, stray: float = 0.0, most: int = 6):
        self.rng, self.stray, self.most = rng, stray, most
        self.custom = rng.choice([0.0, 0.0, 0.3, 0.7])  # share of custom files
        self.chosen: list[Component] = []
        self.process: Component | None = None

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def value(self, axis: Axis, fits: Callable[[Component], bool] = lambda c: True) -> Component:
        """A component that fits the others; now and then any."""
        belongs = fits
        if axis in OF_PROCESS:

            def belongs(c: Component) -> bool:
                return fits(c) and self.belongs(c)

        return self.one_of(axis, belongs)

    def belongs(self, c: Component) -> bool:
        """Shipped, or of the family of the process: what these draw has no type of its own."""
        family = folder_of(self.process) if self.process else ""
        return not c.file or folder_of(c) in ("random_files", "weights", family)

    def one_of(self, axis: Axis, fits: Callable[[Component], bool]) -> Component:
        shipped, custom = components_of(axis).values(), custom_components().get(axis.folder, ())
        known = [*custom] if custom and (self.chance(self.custom) or not shipped) else [*shipped]
        found = [c for c in known if fits(c)] or [c for c in (*shipped, *custom) if fits(c)]
        c = self.rng.choice(known if self.chance(self.stray) or not found else found)
        self.chosen.append(c)
        return c

    def number(self, p: Parameter) -> object:
        """Within the range of a parameter, or at its edge."""
        if p.choices:
            return self.rng.choice(p.choices)
        if p.type in ("bool", "str"):
            return self.chance(0.5) if p.type == "bool" else self.rng.choice(["a", "b c", "é/x"])
        if not p.range:
            return p.default
        low, high = max(p.range.low, LEAST.get(p.name, p.range.low)), p.range.high
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
            if {whole, parts} & set(given) and not self.chance(self.stray):
                given[parts] = self.rng.randint(1, self.most)
                given[whole] = 2 * given[parts] * self.rng.randint(1, self.most)
        return {"kind": written(c), **given} if given or self.chance(0.3) else written(c)

    def item(self, c: Component, **more: object) -> object:
        """The same in a list."""
        given = self.numbers(c.parameters) | more
        return {written(c): given} if given or self.chance(0.3) else written(c)

    # ---- the parts -------------------------------------------------------------------------------

    def parts(self) -> dict[str, object]:
        self.process = process = self.value(axes.PROCESS)
        noise = self.noise(process)
        fields = {*process.types["Noised"]}
        if self.chance(0.3) or self.chance(self.stray):
            noise[axes.ROLL_IN.key], more = self.roll_ins(fields)
            fields |= more
        targets = self.targets(process, fields)
        losses = [self.loss(t, targets, fields) for t in targets]
        several = self.rng.choice([0, 0, 1, 2, 3])
        named = {f"s_{i}x": self.sampler(process) for i in range(several)}
        parts = {
            "target": self.listed([self.item(t) for t in targets]),
            "loss": self.listed(losses),
            "sampler": named or self.sampler(process),
            "backbone": self.one(self.backbone(fields)),
            **self.experiment(),
        }
        heads = self.heads()
        return {"noise": noise | self.clocks(), **parts, **({"head": heads} if heads else {})}

    def heads(self) -> object:
        """The custom heads that the chosen components use, and sometimes a shipped one."""
        used = {a for c in self.chosen for a in used_of_model(c)}
        known = (*custom_components()["head"], *components_of(axes.HEAD).values())
        found = [c for c in known if c.value in used and (c.file or self.chance(0.1))]
        found += [self.value(axes.HEAD)] if self.chance(self.stray) else []
        return self.listed([self.item(c) for c in found]) if found else None

    def clocks(self) -> dict[str, object]:
        """The further schedules that the chosen components require."""
        functions = [f for c in self.chosen for f in c.functions.values()]
        wires = {w: None for f in functions for w, kind in f.wires.items() if kind == "Schedule"}
        found = {w: self.one(self.value(axes.SCHEDULE)) for w in wires if is_clock(w)}
        found = {w: v for w, v in found.items() if not self.chance(self.stray)}
        return found | ({"odd_schedule": "linear"} if self.chance(self.stray / 4) else {})

    def roll_ins(self, fields: set[str]) -> tuple[object, set[str]]:
        """One or two inputs made from the one before, and their fields."""
        base = {"model", "hidden", "x", "rng", "vocab", "t", "schedule"}
        items, more, before = [], set[str](), fields
        for _ in range(self.rng.choice([1, 1, 2])):
            known = base | before
            c = self.value(axes.ROLL_IN, lambda c, known=known: {*c.main.wires} <= known)
            items.append(self.item(c))
            before = {*c.types[c.main.returns]}
            more |= before
        return self.listed(items), more

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
        schedule = self.schedule([process, *([count] if count else [])])
        optional = [(axes.COUNT, count), (axes.SCHEDULE, schedule), (axes.TIME, None)]
        for axis, found in optional:
            if axis.wire in read and (found or (axis != axes.COUNT and self.chance(0.5))):
                out[axis.key] = self.one(found or self.value(axis))
            elif self.chance(self.stray):
                out[axis.key] = self.one(self.value(axis))
        return out

    def schedule(self, readers: list[Component]) -> Component | None:
        """One with what its readers use; in half of the cases none if the default has that."""
        used = {a for c in readers for a in used_of(c, axes.SCHEDULE.wire)}

        def fits(c: Component) -> bool:
            return used <= {*c.methods[c.object], *c.types[c.object]}

        default = components_of(axes.SCHEDULE)[axes.SCHEDULE.default]
        return None if fits(default) and self.chance(0.5) else self.value(axes.SCHEDULE, fits)

    def targets(self, process: Component, fields: set[str]) -> list[Component]:
        """One that reads what the model does not see, and sometimes another one."""
        made = MADE | fields
        hidden = {*process.types["Noised"]} - {"tokens", "valid"}
        first = self.value(
            axes.TARGET,
            lambda c: set(c.main.wires) <= made and (hidden & set(c.main.wires) or not hidden),
        )
        more = self.value(axes.TARGET, lambda c: set(c.main.wires) <= made)
        return [first, more] if more.value != first.value and self.chance(0.6) else [first]

    def loss(self, target: Component, targets: list[Component], fields: set[str]) -> object:
        """A loss that fits the target, which it names if several do."""
        kind, made = target.main.returns, MADE | fields | {"hidden", "target"}
        c = self.value(
            axes.LOSS, lambda c: c.main.wires["target"] == kind and {*c.main.wires} <= made
        )
        plain = self.chance(0.2)
        weight = 0.1 * self.rng.randint(0, 9) if plain else self.weight(target)
        weight = weight if isinstance(weight, float) else self.one(weight)
        more = {axes.WEIGHT.key: weight} if self.chance(0.5) else {}
        same = [t for t in targets if t.main.returns == kind]
        if self.chance(self.stray) or (len(same) > 1 or self.chance(0.1)):
            more[axes.OF] = target.value
        return self.item(c, **more)

    def weight(self, target: Component) -> Component:
        """One whose rate the process declares for the target, if it needs a rate."""
        process = self.process
        assert process

        def fits(c: Component) -> bool:
            return not has_rate(c) or fits_target(c, process, target.value)

        return self.value(axes.WEIGHT, fits)

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
        state = loop.functions["step"].returns
        inner |= self.around(axes.WRAP, lambda c: c.wrapper or starts_from(c) == prior)
        inner |= self.around(axes.CORRECTOR, lambda c: c.main.returns == state)
        given = {"kind": written(loop), **self.numbers(loop.parameters), **inner}
        return written(loop) if len(given) == 1 and self.chance(0.5) else given

    def around(self, axis: Axis, fits: Callable[[Component], object]) -> dict[str, object]:
        """Wraps or correctors of a sampler: none, one or two."""
        known = (*components_of(axis).values(), *custom_components().get(axis.folder, ()))
        if not self.chance(self.stray) and not (self.chance(0.3) and any(map(fits, known))):
            return {}
        found = [self.value(axis, lambda c: bool(fits(c))) for _ in range(self.rng.choice([1, 2]))]
        found = list({c.value: c for c in found}.values())
        return {axis.key: self.listed([self.item(c) for c in found])}

    def backbone(self, fields: set[str]) -> Component:
        """More often one that every method may have."""
        used = {a for c in self.chosen for a in used_of_model(c)}

        def fits(c: Component) -> bool:
            forward = methods(c)["forward"]
            read = {*forward.wires} - {*forward.defaults, "t"}
            own = {*methods(c)} - {*PUBLIC}
            if c.file and not own <= used:
                return False  # it has weights that no component uses
            return read <= {"tokens", "valid"} | (fields if self.chance(0.2) else set())

        return self.value(
            axes.BACKBONE, lambda c: fits(c) and (not time_conditioned(c) or self.chance(0.4))
        )

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
        c = self.value(self.rng.choice([a for a in axes.AXES if components_of(a)]))
        return self.rng.choice([c.value, *c.synonyms, *(p.name for p in c.parameters)])

    def misspelt(self, word: str) -> str:
        i = self.rng.randrange(len(word) + 1)
        return word[:i] + self.rng.choice(["", "x", "_", "-", word[i : i + 1]]) + word[i + 1 :]


def folder_of(c: Component) -> str:
    """The folder of a custom component: its family."""
    return PurePosixPath(c.file).parent.name


def written(c: Component) -> str:
    """A component as a spec names it."""
    return c.file or c.value


def drawn(rng: random.Random, stray: float = 0.0, most: int = 6) -> dict[str, str]:
    """The parts of a spec, each as YAML."""
    drawing = Drawing(rng, stray, most)
    parts = drawing.spoiled(drawing.parts())
    parts = parts if isinstance(parts, dict) else {}
    return {k: json.dumps(v, ensure_ascii=False) for k, v in parts.items() if k}


def whole(parts: dict[str, str], name: str) -> str:
    """The text of a spec."""
    return "\n".join(["xlm_spec: 1", f"name: {name}", *(f"{k}: {v}" for k, v in parts.items())])
