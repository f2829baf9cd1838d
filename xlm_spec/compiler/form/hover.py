"""What an editor shows beside a word of a spec, in Markdown."""

import ast
import re

from xlm_spec.compiler.axes import TASKS, Axis
from xlm_spec.compiler.components import Component, Parameter
from xlm_spec.compiler.shown.cards import card
from xlm_spec.compiler.shown.markdown import escaped, linked, scalar, sentence

CITED = re.compile(r" \([^()]*arXiv:[^()]*\)")


def of_axis(axis: Axis) -> str:
    """What it decides, and what is taken where a spec is silent."""
    told = sentence(escaped(axis.meaning))
    return f"{told} Default: `{axis.default}`." if axis.default else told


def of_value(axis: Axis, c: Component) -> str:
    """Its card in a line: title, equation, paper."""
    shown = card(axis, c)
    equation = CITED.sub("", shown.equation)
    title = "" if equation.startswith(shown.title) else shown.title
    told = [sentence(escaped(t)) for t in (title, equation) if t]
    return " ".join([*told, *([linked(f"{escaped(c.paper)}.")] if c.paper else [])])


def of_parameter(p: Parameter) -> str:
    """Its meaning, then its type, range and default."""
    kind = f"`{p.type}` in `{p.range}`" if p.range else f"`{p.type}`"
    default = f", default `{scalar(p.default)}`" if p.default not in (None, "") else ""
    return f"{sentence(escaped(p.meaning))}\n\n{kind}{default}"


def of_task(name: str) -> str:
    """The first line of its file."""
    doc = ast.get_docstring(ast.parse((TASKS / f"{name}.py").read_text(encoding="utf-8"))) or ""
    return sentence(escaped(doc.partition("\n")[0]))
