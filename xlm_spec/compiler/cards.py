"""`xlm-spec axes`: the language, as the components tell it."""

from xlm_spec.compiler.axes import AXES, Axis, cards
from xlm_spec.compiler.components import Component, Parameter
from xlm_spec.diagnostics import Diagnostic, Failed, alternatives


def show(axis: str | None, value: str | None) -> str:
    """All axes, the values of one, or the card of one value. Raises Failed (X105)."""
    if axis is None:
        return "\n\n".join(table(a) for a in AXES)
    found = find(axis)
    if value is None:
        return table(found)
    known = cards(found)
    if value not in known:
        meant = next((v for v, c in known.items() if value in c.synonyms), None)
        hint = f"that is called `{meant}` here" if meant else alternatives(value, known)
        raise Failed(Diagnostic("X105", f"axis `{found.path}` has no value `{value}`", hint))
    return card(found, known[value])


def find(name: str) -> Axis:
    """An axis by its path or the last part of it."""
    found = next((a for a in AXES if name in (a.path, a.key, a.folder)), None)
    if found is None:
        paths = [a.path for a in AXES]
        raise Failed(Diagnostic("X105", f"no axis is called `{name}`", alternatives(name, paths)))
    return found


def table(axis: Axis) -> str:
    known = cards(axis)
    wide = max(map(len, known))
    default = f" (default: {axis.default})" if axis.default else ""
    rows = [f"  {v:{wide}}  {c.title}" for v, c in known.items()]
    return "\n".join([f"{axis.path}: {axis.meaning}{default}", *rows])


def card(axis: Axis, c: Component) -> str:
    """Equation, parameters, needs, makes, paper, synonyms."""
    makes = ", ".join(sorted(c.types.get("Noised", {}))) or next(
        (f.returns for n, f in c.functions.items() if n == c.value), ""
    )
    needs = sorted({w for f in c.functions.values() for w in f.wires} - {"x", "rng", "model"})
    equations = [f.doc.split("\n")[0] for f in c.functions.values() if f.doc]
    lines = [
        ("", c.title),
        ("equation", equations[0] if equations else ""),
        ("needs", ", ".join(needs)),
        ("makes", makes),
        ("paper", c.paper),
        ("also known as", ", ".join(c.synonyms)),
    ]
    out = [f"{axis.path}: {c.value}"]
    out += [f"  {name:14} {told}" for name, told in lines if told]
    out += [f"  {p.name:14} {described(p)}" for p in c.parameters]
    return "\n".join(out)


def described(p: Parameter) -> str:
    return f"{p.type} = {p.default}{f', in {p.range}' if p.range else ''}: {p.meaning}"
