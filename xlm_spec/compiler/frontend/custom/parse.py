"""Reads a custom component: parses its file without importing it, and reports errors by line.

Shipped components satisfy the same rules; their tests check it.
"""

import ast
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from xlm_spec.compiler.components import Component, parsed, read
from xlm_spec.compiler.frontend.custom.attribute_checks import attributes
from xlm_spec.compiler.frontend.custom.call_checks import calls
from xlm_spec.compiler.frontend.custom.declaration_checks import faults, near_misses
from xlm_spec.compiler.frontend.custom.interface import interface_faults
from xlm_spec.compiler.frontend.custom.name_checks import before_definition, symbols, undefined
from xlm_spec.compiler.frontend.custom.parameter_checks import parameters_of
from xlm_spec.compiler.frontend.custom.range_checks import ranges_of
from xlm_spec.compiler.frontend.custom.shared_types import SharedTypes
from xlm_spec.compiler.frontend.custom.source import Source, not_python, text_of
from xlm_spec.compiler.frontend.custom.syntax_checks import statements
from xlm_spec.diagnostics import Diagnostic, Failed, Span, hidden


def custom_component(file: Path, folder: str, shared: SharedTypes | None = None) -> Component:
    """The component in a file. Raises Failed (X109 to X119) with all errors."""
    source = Source(file, text_of(file))
    if invisible := next(filter(hidden, source.text), None):
        before = source.text.partition(invisible)[0]
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        message = f"invisible character U+{ord(invisible):04X}"
        span = Span(line, column, line, column + 1)
        raise Failed(source.diagnostic("X110", span, message, "write it as an escape sequence"))
    try:
        tree, table = parsed(source.text), symbols(source.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        raise Failed(not_python(source, e)) from None
    found = [*statements(tree, folder), *ranges_of(tree, source.text)]
    if found:
        raise Failed(sorted((source.at(f) for f in found), key=lambda d: d.order))
    shared = shared or SharedTypes()
    c = shared.linked(source, tree, read(source.text, folder, file.stem))
    nodes = definitions(tree)
    wrong = [
        source.at(("X112", nodes.get(name), message, hint))
        for name, message, hint in interface_faults(c)
    ]
    wrong = wrong or [source.at(f) for f in parameters_of(c, tree)]
    if not wrong:
        wrong = [
            source.at(("X116", nodes.get(name), message, hint)) for name, message, hint in faults(c)
        ]
        wrong += [source.at(f) for f in undefined(tree, table, folder)]
        wrong += [source.at(f) for f in before_definition(tree)]
        beside = shared.imported_by(source, tree)
        wrong += [source.at(f) for f in (*attributes(tree, beside), *calls(tree, beside))]
    if wrong:
        raise Failed(sorted(wrong, key=lambda d: d.order))
    return replace(c, source=source.text)


def definitions(tree: ast.Module) -> dict[str, ast.stmt]:
    """The functions, classes and constants by name."""
    named = (n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef))
    constants = (n for n in tree.body if isinstance(n, ast.Assign))
    found: dict[str, ast.stmt] = {n.name: n for n in named}
    return found | {ast.unparse(n.targets[0]): n for n in constants}


def misspelt_names(
    c: Component, file: Path, targets: Iterable[str], functions: Iterable[str]
) -> list[Diagnostic]:
    """X116 for names in declarations that look like a misspelt target or function of a count."""
    source, nodes = Source(file, c.source), definitions(parsed(c.source))
    return [
        source.at(("X116", nodes[name], message, hint))
        for name, message, hint in near_misses(c, [*targets], [*functions])
    ]
