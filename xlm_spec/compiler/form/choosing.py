"""Document -> Spec, where the form is right: each value with its component."""

from typing import Any

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import Axis
from xlm_spec.compiler.components import Component, component
from xlm_spec.compiler.form.load import Document, Path_
from xlm_spec.compiler.own.shelf import Shelf
from xlm_spec.compiler.spec import Choice, Sampling, Spec


class Choosing:
    """Takes what a document names from the shelf."""

    def __init__(self, doc: Document, shelf: Shelf):
        self.doc, self.shelf = doc, shelf

    def spec(self) -> Spec:
        """The choices of the document."""
        v = self.doc.values
        noise = {
            a: self.choice(a, v["noise"][a.key], ("noise", a.key))
            for a in axes.NOISE
            if a.key in v["noise"]
        }
        return Spec(
            document=self.doc,
            name=v["name"],
            title=" ".join(v.get("title", "").split()) or v["name"],
            paper=" ".join(v.get("paper", "").split()),
            process=noise[axes.PROCESS],
            schedule=noise.get(axes.SCHEDULE),
            time=noise.get(axes.TIME),
            count=noise.get(axes.COUNT),
            targets=self.items(axes.TARGET, v["target"]),
            losses=self.items(axes.LOSS, v["loss"]),
            samplers=self.samplers(v["sampler"]),
            backbone=self.choice(axes.BACKBONE, v["backbone"], ("backbone",)),
            data=v.get("data") or {},
            train=v.get("train") or {},
        )

    def choice(self, axis: Axis, value: Any, path: Path_) -> Choice:
        if isinstance(value, str):
            return Choice(axis, self.component(axis, value), path)
        given = {k: v for k, v in value.items() if k != "kind"}
        return Choice(axis, self.component(axis, value["kind"]), path, given)

    def items(self, axis: Axis, value: str | dict | list) -> tuple[Choice, ...]:
        many = isinstance(value, list)
        return tuple(
            self.item(axis, v, (axis.path, i) if many else (axis.path,))
            for i, v in enumerate(listed(value))
        )

    def item(self, axis: Axis, value: str | dict, path: Path_) -> Choice:
        [(name, given)] = [(value, {})] if isinstance(value, str) else value.items()
        path = path if isinstance(value, str) else (*path, name)
        numbers = {k: v for k, v in given.items() if k != "weight"}
        weight = self.choice(
            axes.WEIGHT, given.get("weight", axes.WEIGHT.default), (*path, "weight")
        )
        found = self.component(axis, name)
        return Choice(axis, found, path, numbers, weight if axis is axes.LOSS else None)

    def samplers(self, value: str | dict) -> tuple[Sampling, ...]:
        if isinstance(value, str) or "kind" in value:
            kind = value if isinstance(value, str) else value["kind"]
            return (self.sampling(kind, value, ("sampler",)),)
        return tuple(self.sampling(name, v, ("sampler", name)) for name, v in value.items())

    def sampling(self, name: str, value: str | dict, path: Path_) -> Sampling:
        loop = self.choice(axes.SAMPLER, value, path)
        inner = {
            a.key: self.choice(a, loop.given.pop(a.key), (*path, a.key))
            for a in (*axes.RULES, axes.OUTER)
            if a.key in loop.given
        }
        outer = inner.pop(axes.OUTER.key, None)
        return Sampling(name, loop, inner, outer)

    def component(self, axis: Axis, value: str) -> Component:
        mine = self.shelf.own.get(axis.folder, {})
        return mine[value] if value in mine else component(axis.folder, value)


def listed(value: Any) -> list:
    return value if isinstance(value, list) else [value]
