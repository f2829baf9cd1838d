"""What a method uses of the model: heads, methods of the backbone, time and attention."""

from functools import cache

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import HEAD, components_of
from xlm_spec.compiler.components import Component, Definition, Function, component, values
from xlm_spec.compiler.declarations import ATTENTION
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.spec import Choice, Spec

TRAIN_PASS = "train_pass"  # an optional method of a backbone: its forward pass in training
TEACHER = "teacher"  # a trained model that `train --teacher` adds to the model, for losses


def used_of_model(c: Component) -> set[str]:
    """The attributes of `model` that a component uses: heads, and methods of the backbone.

    A wrap of the model uses those of the attribute that holds it, such as `self.model`.
    """
    held = held_models(c) if c.wrapper else set()
    return used_of(c, "model") | ({a for x, a in attributes(c) if x in held} if held else set())


def held_models(c: Component) -> set[str]:
    """Where a wrap of the model holds it: `self.model`, if it assigns `self.model = model`."""
    return {x for d in c.definitions.values() for x in d.holds_model}


def attributes(c: Component) -> set[tuple[str, str]]:
    """(x, y) for each x.y, where x is any expression."""
    return {pair for d in c.definitions.values() for pair in d.accesses}


def used_of(c: Component, wire: str) -> set[str]:
    """The attributes of a wire that a component uses, itself or in the ops that it calls."""
    return {a for d in reached(c) for name, a in d.attributes if name == wire}


def reached(c: Component) -> list[Definition]:
    """The definitions of a component, and of the ops that it calls."""
    return [*c.definitions.values(), *called(c.imports.get(".ops", frozenset()))]


@cache
def called(names: frozenset[str]) -> tuple[Definition, ...]:
    """The definitions of these ops, and of those that they call."""
    ops, found, todo = component("", "ops").definitions, set[str](), {*names}
    while todo:
        found |= todo
        todo = {n for name in todo if name in ops for n in ops[name].names & {*ops}} - found
    return tuple(ops[n] for n in ops if n in found)


def heads_of(spec: Spec) -> dict[str, Choice]:
    """The heads that components can use: shipped ones and those of the spec."""
    shipped = {v: Choice(HEAD, component(HEAD.folder, v), HEAD.parts) for v in values(HEAD.folder)}
    return shipped | {c.value: c for c in spec.heads}


def heads(method: Method) -> list[str]:
    """The names of the heads that its components use."""
    return sorted(used(method) & set(heads_of(method.spec)))


def built_from(method: Method) -> dict[str, str]:
    """What the `__init__` of a head can require, and the expressions of it in a Model."""
    return {
        "vocab_size": "config.vocab.size",
        "direction": f'"{attention(method)}"',
        "vocab": "config.vocab",
        "width": "config.backbone.width",
    }


def passes(method: Method) -> list[str]:
    """The methods of the backbone that are called on the model, besides `forward`."""
    called_on_model = used(method) | {TRAIN_PASS}
    return [m for m in methods(method.spec.backbone.component) if m in called_on_model]


def used(method: Method) -> set[str]:
    """The heads and methods of the backbone that the chosen components use."""
    chosen = {c.component.path: c.component for c in method.choices}
    return {a for c in chosen.values() for a in used_of_model(c)}


def taught(method: Method) -> list[str]:
    """The losses that read `model.teacher`."""
    return [c.value for c in method.spec.losses if TEACHER in used_of_model(c.component)]


def methods(backbone: Component) -> dict[str, Function]:
    return backbone.methods["Backbone"]


def training_pass(backbone: Component) -> Function:
    """The method that computes hidden states in training: `train_pass`, or else `forward`."""
    known = methods(backbone)
    return known.get(TRAIN_PASS) or known["forward"]


def model_arguments(f: Function) -> tuple[list[str], list[str]]:
    """The wires of a method in the order of the model's: required ones, and optional ones.

    In `forward`, `t` stands between them: every model accepts a time there, used or not.
    """
    wires = [w for w in f.wires if w != "t" or f.name != "forward"]
    return [w for w in wires if w not in f.defaults], [w for w in wires if w in f.defaults]


def time_conditioned(backbone: Component) -> bool:
    return "t" in methods(backbone)["forward"].wires


def untimed_backbones() -> str:
    """The backbones that are not time-conditioned, for a hint."""
    return ", ".join(v for v, c in components_of(axes.BACKBONE).items() if not time_conditioned(c))


def attention(method: Method) -> str:
    """`causal` if a target declares it, else `bidirectional`."""
    return attention_of(method.spec)


def attention_of(spec: Spec) -> str:
    """The same, of a spec."""
    declared = {ATTENTION.of(t.component) for t in spec.targets}
    return "causal" if "causal" in declared else "bidirectional"
