"""Unknown declarations of a component, and declarations with a wrong value (X116)."""

import difflib
from collections.abc import Iterator

from xlm_spec.compiler.components import Component, kind
from xlm_spec.compiler.declarations import COUNT, DECLARATIONS, ELBO_WEIGHTS, of_axis
from xlm_spec.compiler.middle.likelihood import ONE, rates
from xlm_spec.diagnostics import alternatives

Fault = tuple[str, str, str]  # the constant, the message, a hint


def faults(c: Component) -> Iterator[Fault]:
    """The errors in the declarations of a component."""
    known = of_axis(c.folder)
    near = False
    for name, value in c.constants.items():
        if name in known:
            for message, hint in known[name].form.faults(name, value, c):
                yield name, message, hint
        elif not name.startswith("__") and name not in c.definitions:
            message = f"`{name}` is not a declaration of {kind(c.folder)}"
            message = f"{message}, and no code of the file uses it"
            misspelt = difflib.get_close_matches(name.upper(), known, 1, 0.9)
            near = near or bool(misspelt)
            hints = [alternatives(name.upper(), known)] if misspelt else []
            hints += [other] if (other := elsewhere(name, c.folder)) else []
            yield name, message, "; ".join(hints) or alternatives(name.upper(), known)
    for name in (n for n in (*c.functions, *c.classes) if n in known):
        yield name, f"`{name}` must be a constant", f"write, for example, `{known[name].line}`"
    for d in known.values():
        if d.required(c) and c.constants.get(d.name, False) is False and not near:
            message = f"{kind(c.folder)} must declare `{d.name}`: {d.meaning}"
            yield d.name, message, f"write, for example, `{d.line}`"


def elsewhere(name: str, folder: str) -> str:
    """A hint if another axis has a declaration with this name."""
    found = next((d for d in DECLARATIONS if d.name == name), None)
    if found is None:
        return ""
    here = ", ".join(of_axis(folder)) or "none"
    return f"`{name}` belongs to: {', '.join(found.folders)}; allowed in {kind(folder)}: {here}"


def near_misses(c: Component, targets: list[str], functions: list[str]) -> Iterator[Fault]:
    """Names in declarations that look like a misspelt target, or function of a count.

    A name that resembles nothing may be defined in a custom file of another spec.
    """
    found: list[tuple[str, str, list[str]]] = []
    if c.folder == "process":
        weights = ELBO_WEIGHTS.of(c)
        found += [(ELBO_WEIGHTS.name, target, targets) for target in weights]
        known = [*functions, *rates(c), ONE]
        found += [(ELBO_WEIGHTS.name, function, known) for function in weights.values()]
    if c.folder == "weight":
        found.append((COUNT.name, COUNT.of(c), functions))
    for name, word, known in found:
        meant = difflib.get_close_matches(word, known, 1, 0.8) if word not in known else []
        for right in meant:
            yield name, f"`{name}` names `{word}`, which does not exist", f"did you mean `{right}`?"
