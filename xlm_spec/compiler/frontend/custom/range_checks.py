"""Comments that look like the range of a parameter, but are not read as one (X117)."""

import ast
import io
import tokenize
from collections.abc import Iterator

from xlm_spec import ranges
from xlm_spec.compiler.frontend.custom.parameter_checks import declared, name_of
from xlm_spec.compiler.frontend.custom.source import Finding

CODE = "X117"
ORDERED = ("float", "int")


def ranges_of(tree: ast.Module, text: str) -> Iterator[Finding]:
    """X117 for the comments, types and defaults of the parameters of a file."""
    comments, lines = comments_of(text), text.split("\n")
    for node in declared(tree):
        name, first = name_of(node), node.lineno
        default = default_of(tree, node)
        yield from beside(node, default, comments, lines)
        comment = lines[first - 1].partition("  # ")[2]
        if message := ranges.fault(comment):
            yield CODE, node, f"parameter `{name}`: {message}", f"write {ranges.ACCEPTED}"
            continue
        stated = ranges.split(comment)[1]
        if stated is None or node.annotation is None:
            continue
        kind = ast.unparse(node.annotation)
        if kind in ORDERED:
            yield from outside(node, default, stated)
        else:
            message = f"parameter `{name}` of type {kind} cannot have a range"
            yield CODE, node, message, "remove the range; list allowed values with `Literal[...]`"


def beside(
    node: ast.arg | ast.AnnAssign,
    default: ast.expr | None,
    comments: dict[int, str],
    lines: list[str],
) -> Iterator[Finding]:
    """Ranges where none is read: above the parameter, below its first line, after one space."""
    first = node.lineno
    last = max(n.end_lineno or first for n in (node, default) if n)
    places = [*range(first, last + 1)]
    if lines[first - 2].strip().startswith("#"):
        places = [first - 1, *places]
    for line in places:
        comment = comments.get(line, "")
        read = line == first and lines[line - 1].partition("  # ")[2] == comment
        if not read and (ranges.split(comment)[1] or ranges.fault(comment)):
            message = f"the range of parameter `{name_of(node)}` is in the wrong place"
            hint = "write it on the first line of the parameter, after two spaces and `# `"
            yield CODE, node, message, hint


def outside(
    node: ast.arg | ast.AnnAssign, default: ast.expr | None, stated: ranges.Range
) -> Iterator[Finding]:
    """A default outside of its range."""
    try:
        value = ast.literal_eval(default) if default is not None else None
    except (ValueError, TypeError, RecursionError):
        return  # not a literal: reported as X111
    if isinstance(value, int | float) and value not in stated:
        message = f"default {value} of parameter `{name_of(node)}` is outside its range {stated}"
        yield CODE, node, message, "change the default or the range"


def default_of(tree: ast.Module, node: ast.arg | ast.AnnAssign) -> ast.expr | None:
    if isinstance(node, ast.AnnAssign):
        return node.value
    for n in ast.walk(tree):
        if isinstance(n, ast.FunctionDef) and node in n.args.kwonlyargs:
            return n.args.kw_defaults[n.args.kwonlyargs.index(node)]
    return None


def comments_of(text: str) -> dict[int, str]:
    """The comment on each line, without its sign."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    found = (t for t in tokens if t.type == tokenize.COMMENT)
    return {t.start[0]: t.string.lstrip("#").removeprefix(" ") for t in found}
