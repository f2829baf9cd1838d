"""Components: Python files, one value of an axis each, read from their syntax and not imported."""

from xlm_spec.compiler.components.docstring import also_known_as, differences, without_synonyms
from xlm_spec.compiler.components.model import (
    NETWORKS,
    Component,
    Definition,
    Function,
    Parameter,
    kind,
)
from xlm_spec.compiler.components.reader import definition, parsed, read, signature
from xlm_spec.compiler.components.shipped import (
    COMPONENTS,
    HERE,
    LAW,
    TEMPLATES,
    component,
    values,
)

__all__ = [
    "COMPONENTS",
    "HERE",
    "LAW",
    "NETWORKS",
    "TEMPLATES",
    "Component",
    "Definition",
    "Function",
    "Parameter",
    "also_known_as",
    "component",
    "definition",
    "differences",
    "kind",
    "parsed",
    "read",
    "signature",
    "values",
    "without_synonyms",
]
