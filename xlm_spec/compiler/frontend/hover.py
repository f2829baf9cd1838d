"""The Markdown that an editor shows for a word of a spec."""

import ast
import re

from xlm_spec.compiler.axes import Axis
from xlm_spec.compiler.components import Component, Parameter
from xlm_spec.compiler.docs.cards import card
from xlm_spec.compiler.docs.markdown import escaped, linked, scalar, sentence
from xlm_spec.compiler.runtime_settings import TASKS, Code

CITED = re.compile(r" \([^()]*arXiv:[^()]*\)")


def of_axis(axis: Axis) -> str:
    """The meaning and the default of an axis."""
    text = sentence(escaped(axis.meaning))
    return f"{text} Default: `{axis.default}`." if axis.default else text


def of_value(axis: Axis, c: Component) -> str:
    """The title, equation and paper of a value, in one line."""
    shown = card(axis, c)
    equation = CITED.sub("", shown.equation)
    title = "" if equation.startswith(shown.title) else shown.title
    sentences = [sentence(escaped(t)) for t in (title, equation) if t]
    return " ".join([*sentences, *([linked(f"{escaped(c.paper)}.")] if c.paper else [])])


def of_parameter(p: Parameter) -> str:
    """The meaning, type, range and default of a parameter."""
    kind = f"`{p.type}` in `{p.range}`" if p.range else f"`{p.type}`"
    default = f", default `{scalar(p.default)}`" if p.default not in (None, "") else ""
    return f"{sentence(escaped(p.meaning))}\n\n{kind}{default}"


def of_code(c: Code) -> str:
    """The meaning of code that a name of a setting stands for, or else its import path."""
    return sentence(escaped(c.meaning)) if c.meaning else f"`{c.path}`"


def of_task(name: str) -> str:
    """The first line of the file of a task."""
    doc = ast.get_docstring(ast.parse((TASKS / f"{name}.py").read_text(encoding="utf-8"))) or ""
    return sentence(escaped(doc.partition("\n")[0]))
