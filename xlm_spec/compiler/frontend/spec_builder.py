"""Valid document -> Spec: finds the component of each value."""

from typing import Any

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import Axis
from xlm_spec.compiler.components import Component, component
from xlm_spec.compiler.frontend.custom.registry import Registry
from xlm_spec.compiler.frontend.load import Document, Path_
from xlm_spec.compiler.middle.spec import Choice, Sampling, Spec


class SpecBuilder:
    """Finds the components of a document in the registry."""

    def __init__(self, doc: Document, registry: Registry):
        self.doc, self.registry = doc, registry

    def spec(self) -> Spec:
        """The spec of the document."""
        v = self.doc.values
        noise = {a: self.one(a) for a in axes.NOISE if self.doc.at(a.parts) is not None}
        return Spec(
            document=self.doc,
            name=v["name"],
            title=" ".join(v.get("title", "").split()) or v["name"],
            paper=" ".join(v.get("paper", "").split()),
            process=noise[axes.PROCESS],
            schedule=noise.get(axes.SCHEDULE),
            clocks=tuple(self.one(axes.clock(k)) for k in v["noise"] if axes.is_clock(k)),
            time=noise.get(axes.TIME),
            count=noise.get(axes.COUNT),
            roll_ins=self.items(axes.ROLL_IN, axes.ROLL_IN.parts)
            if self.doc.at(axes.ROLL_IN.parts)
            else (),
            targets=self.items(axes.TARGET, axes.TARGET.parts),
            losses=self.items(axes.LOSS, axes.LOSS.parts),
            samplers=self.samplers(),
            backbone=self.one(axes.BACKBONE),
            types=self.registry.types,
            heads=self.items(axes.HEAD, axes.HEAD.parts) if axes.HEAD.key in v else (),
            data=v.get("data") or {},
            train=v.get("train") or {},
        )

    def one(self, axis: Axis) -> Choice:
        """The choice of an axis with a fixed path."""
        return self.choice(axis, self.doc.at(axis.parts), axis.parts)

    def choice(self, axis: Axis, value: Any, path: Path_) -> Choice:
        if isinstance(value, str):
            return Choice(axis, self.component(axis, value), path)
        given = {k: v for k, v in value.items() if k != "kind"}
        return Choice(axis, self.component(axis, value["kind"]), path, given)

    def items(self, axis: Axis, path: Path_) -> tuple[Choice, ...]:
        """The choices of an axis that is a list, or one item."""
        value = self.doc.at(path)
        if isinstance(value, dict) and "kind" in value:
            return (self.choice(axis, value, path),)
        many = isinstance(value, list)
        return tuple(
            self.item(axis, v, (*path, i) if many else path) for i, v in enumerate(listed(value))
        )

    def item(self, axis: Axis, value: str | dict, path: Path_) -> Choice:
        [(name, given)] = [(value, {})] if isinstance(value, str) else value.items()
        path = path if isinstance(value, str) else (*path, name)
        chosen = self.component(axis, name)
        if axis is axes.LOSS:
            return self.loss(chosen, name, given, path)
        return Choice(axis, chosen, path, {**given})

    def loss(self, chosen: Component, written: str, given: dict[str, Any], path: Path_) -> Choice:
        """A loss with its weight and its target; one of several with the same loss is named."""
        key, of = axes.WEIGHT.key, given.get(axes.OF, "")
        weight = given.get(key, axes.WEIGHT.default)
        number = float(weight) if isinstance(weight, int | float) else None
        same = [name for name, _ in items_of(self.doc, axes.LOSS) if name == written]
        return Choice(
            axes.LOSS,
            chosen,
            path,
            {k: v for k, v in given.items() if k not in (key, axes.OF)},
            weight=self.choice(axes.WEIGHT, weight, (*path, key)) if number is None else None,
            factor=number,
            of=of,
            term=f"{chosen.value}_{of}" if len(same) > 1 else "",
        )

    def samplers(self) -> tuple[Sampling, ...]:
        path = axes.SAMPLER.parts
        value = self.doc.at(path)
        if axes.named(value):
            return tuple(self.sampling(name, v, (*path, name)) for name, v in value.items())
        kind = value if isinstance(value, str) else value["kind"]
        return (self.sampling(self.component(axes.SAMPLER, kind).value, value, path),)

    def sampling(self, name: str, value: str | dict, path: Path_) -> Sampling:
        loop = self.choice(axes.SAMPLER, value, path)
        inside = {a: loop.given.pop(a.key) for a in axes.INSIDE if a.key in loop.given}
        rules = {
            a.key: self.choice(a, inside[a], (*path, a.key)) for a in axes.RULES if a in inside
        }
        wraps, correctors = (
            self.items(a, (*path, a.key)) if a in inside else () for a in axes.AROUND
        )
        return Sampling(name, loop, rules, wraps, correctors)

    def component(self, axis: Axis, value: str) -> Component:
        custom = self.registry.custom.get(axis.folder, {})
        return custom[value] if value in custom else component(axis.folder, value)


def items_of(doc: Document, axis: Axis) -> list[tuple[str, dict]]:
    """The items of an axis that lists its values: name and parameters."""
    items = listed(doc.at(axis.parts))
    return [
        (v, {}) if isinstance(v, str) else next(iter(v.items())) for v in items if v is not None
    ]


def listed(value: Any) -> list:
    return value if isinstance(value, list) else [value]
