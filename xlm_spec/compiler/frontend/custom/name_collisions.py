"""Name collisions: a custom component defines a name that its file of the package already has.

Tests ensure that shipped components do not collide.
"""

from collections.abc import Iterator

from xlm_spec.compiler.components import NETWORKS, Component, component
from xlm_spec.compiler.emit.config import config
from xlm_spec.compiler.emit.objective import wanted
from xlm_spec.compiler.emit.parts import LAYERS, MODULE_OF
from xlm_spec.compiler.emit.samplers import PASSED
from xlm_spec.compiler.middle.method import Loop, Method, of_kinds
from xlm_spec.compiler.middle.network import methods
from xlm_spec.compiler.middle.spec import Choice
from xlm_spec.compiler.middle.special_tokens import fill_of_state
from xlm_spec.diagnostics import Diagnostic

MODEL = {"Config", "Model"}  # names of the package's own code in model.py
CALLED = ("prior", "init_state", "time_grid", "step", "finished")  # by the loop of a sampler
SAMPLER = {"Config", "prior"}  # and in the file of a sampler, with the functions that run it


def collisions(method: Method) -> Iterator[Diagnostic]:
    """X114 for each name of a custom component that collides."""
    sections = {s.name for s in config(method).sections} | {"Config", "Vocab"}
    for choice in method.choices:
        custom = choice.component
        if not custom.source:
            continue
        for name in sorted(names(custom)):
            if other := same_name(method, choice, name, sections):
                message = f"name `{name}` in `{custom.value}.py` is already used by {other}"
                hint = rename(custom, name)
                yield method.spec.document.diagnostic("X114", message, choice.path, hint)
        for name, other in other_meanings(method, custom):
            message = f"`{custom.value}.py` imports `{name}`, which in the same file of the package"
            hint = "import it under another name"
            message = f"{message} is {other}"
            yield method.spec.document.diagnostic("X114", message, choice.path, hint)
        namesakes = [c for c in method.listed if c.value == custom.value and c.law]
        if custom.law and any(c.law != custom.law for c in namesakes):
            message = f"`{custom.value}_law.py` is the law file of two components"
            hint = "rename one of the components"
            yield method.spec.document.diagnostic("X114", message, choice.path, hint)
    yield from equal_settings(method)
    yield from heads_and_methods(method)
    for loop in method.loops:
        yield from variables_of_sampler(method, loop)


def rename(c: Component, name: str) -> str:
    """The hint for a name of a custom component that collides."""
    named = name == c.value and name in c.functions
    return "rename the file and its function" if named else f"rename `{name}` in your file"


def same_name(method: Method, choice: Choice, name: str, sections: set[str]) -> str:
    """What else has this name in the package, where it would matter; "" if nothing.

    `sections`: the classes of config.py.
    """
    custom = choice.component
    if other := same_name_in_file(method, choice, name):
        return other
    if name in sections & classes_of_config(method, custom):
        return "a section of the package's config.py"
    if name in custom.classes and is_type_of_wires(name):
        return "the package's types.py, and types are matched by their names"
    return same_name_in_objective(method, custom, name) or same_name_in_model(method, custom, name)


def is_type_of_wires(name: str) -> bool:
    """Is it a shared type of data, such as `State`? Protocols of rules match by their axis."""
    types = component("", "types")
    return name in types.classes and "Protocol" not in types.bases[name]


def variables_of_sampler(method: Method, loop: Loop) -> Iterator[Diagnostic]:
    """X114 for what a sampler's loop calls, or sets, under the name of another variable of it."""
    fixed = {*PASSED, "state", "settings", *loop.objects}
    fixed |= {around.examples.name for around in loop.around if around.examples}
    called: dict[str, Choice] = {} if loop.apart else dict.fromkeys(CALLED, loop.sampling.loop)
    for choice in (c for c in loop.listed if not loop.apart):
        c = choice.component
        called |= dict.fromkeys([c.wrapper] if c.wrapper else c.functions, choice)
    for name, choice in called.items():
        if name in {*fixed, *loop.fields} and choice.component.source and name not in CALLED:
            message = f"name `{name}` in `{choice.value}.py` is already used"
            message = f"{message} by a variable of the sampler"
            yield method.spec.diagnostic("X114", choice, message, rename(choice.component, name))
    grids = [(loop.sampling.loop, loop.fields), *((a.choice, a.fields) for a in loop.around)]
    for choice, fields in grids:
        function = "time_grid" if choice is loop.sampling.loop else "windows"
        taken = {*fixed, *called, *CALLED, "x", "vocab"} if choice.component.source else set()
        for name in (n for n in fields if n in taken):
            message = f"`{function}` of `{choice.value}.py` yields a field `{name}`"
            message = f"{message}, which is also a name in the sampler"
            yield method.spec.diagnostic("X114", choice, message, "rename the field")


def heads_and_methods(method: Method) -> Iterator[Diagnostic]:
    """X114 if a head that is used has the name of a method of the backbone."""
    backbone = method.spec.backbone
    for head in (h for h in method.heads if h.name in methods(backbone.component)):
        message = f"head `{head.name}` has the name of a method of backbone `{backbone.value}`"
        custom = next((c for c in method.spec.heads if c.value == head.name), backbone)
        hint = f"rename the {'method' if custom is backbone else 'file of the head'}"
        yield method.spec.diagnostic("X114", custom, message, hint)


def equal_settings(method: Method) -> Iterator[Diagnostic]:
    """X114 if two kinds of sampler would have one class of settings in config.py.

    For example `ancestral_in_blocks`, beside `ancestral` in a wrap `blocks`.
    """
    seen: dict[str, Loop] = {}
    for loop, *_ in of_kinds(method.loops):
        other = seen.setdefault(loop.settings, loop)
        if loop.settings and other is not loop:
            custom = loop if loop.loop.source else other
            message = f"two kinds of sampler need a class `{loop.settings}` in config.py"
            choice = custom.sampling.loop
            hint = f"rename `{choice.value}.py`"
            yield method.spec.document.diagnostic("X114", message, choice.path, hint)


def unknown_length(method: Method) -> Iterator[Diagnostic]:
    """X112, a warning: it is unknown whether a custom state has a fixed length.

    A method of fixed length learns where a sequence ends only if EOS fills the rest of the canvas.
    """
    process, spec = method.spec.process, method.spec
    if not fill_of_state(process.component) and "fill" not in spec.data:
        state = process.component.functions["prior"].returns
        message = (
            f"cannot tell whether `{state}` has a fixed length: answers are not filled with EOS"
        )
        hint = "write `data: {fill: eos}` if the length is fixed, else `data: {fill: none}`"
        yield spec.diagnostic("X112", process, message, hint, "warning")


def same_name_in_file(method: Method, choice: Choice, name: str) -> str:
    """What else has this name in the component's file of the package; "" if nothing."""
    custom = choice.component
    replacing = ("process", "count")  # the likelihood of one replaces that of the other
    replaces = name == "likelihood" and custom.folder in replacing
    for c in method.listed:
        if replaces and c.folder in replacing:
            continue
        if c is custom or file_of(method, c) != file_of(method, custom):
            continue
        if name in names(c):
            return f"{c.folder} `{c.value}`"
        if name in imported(c):
            return f"an import of {c.folder} `{c.value}`"
    return "the generated code" if name in reserved(method, custom) else ""


def same_name_in_model(method: Method, custom: Component, name: str) -> str:
    """What else has this name in model.py: a shipped head, or a layer; "" if nothing."""
    if custom.folder not in NETWORKS:
        return ""
    heads = [h for h in method.heads if not h.component.source and name in names(h.component)]
    holders = [method.spec.backbone.component, *(h.component for h in method.heads)]
    layers = component("", LAYERS).definitions
    listed = {n for c in holders for n in c.imports.get(f".{LAYERS}", frozenset())} & {*layers}
    while more := {n for used in listed for n in layers[used].names & {*layers}} - listed:
        listed |= more
    if name in listed:
        return f"the shared {LAYERS} of this model"
    return f"head `{heads[0].name}`" if heads else ""


def classes_of_config(method: Method, custom: Component) -> set[str]:
    """Classes of config.py that a component, or the file that contains it, uses."""
    return {custom.object} | {loop.settings for loop in run_by(method, custom)}


def reserved(method: Method, custom: Component) -> set[str]:
    """Names that the package's own code defines or imports in the file of a component."""
    if custom.folder in NETWORKS:
        return MODEL
    loops = run_by(method, custom)
    return SAMPLER | {loop.function for loop in loops} if loops else set()


def run_by(method: Method, custom: Component) -> list[Loop]:
    """The samplers whose file contains a component."""
    return [x for x in method.loops if custom.path in {c.component.path for c in x.in_file}]


def same_name_in_objective(method: Method, custom: Component, name: str) -> str:
    """What else has this name in objective.py, which imports what it calls; "" if nothing."""
    imported = wanted(method)
    homes = [m for m, names in imported.items() if name in names]
    home = f".{file_of(method, custom)}"
    if home not in homes:
        return ""
    terms = [*method.terms, *method.bound]
    lines = [*method.objective, *(w for t in terms for w in t.lines)]
    if name in {line.name for line in lines}:
        return "a variable of the package's objective.py"
    other = next((m for m in homes if m != home), "")
    return f"the package's {other.lstrip('.')}.py" if other else ""


def file_of(method: Method, c: Component) -> str:
    """The module of the package that contains a component."""
    apart = len(method.loops) > 1 or method.loops[0].apart
    if c.folder in ("wrap", "corrector") and apart:
        return f"{c.folder}_{c.value}"
    if c.folder == "sampler" and len(method.loops) > 1:
        return f"{c.folder}_{c.value}"
    return MODULE_OF.get(c.folder) or ("model" if c.folder in NETWORKS else "sampler")


def other_meanings(method: Method, custom: Component) -> Iterator[tuple[str, str]]:
    """The names that a component imports and that mean something else in its file: (name, what)."""
    own = sources(custom)
    for c in method.listed:
        if c is custom or file_of(method, c) != file_of(method, custom):
            continue
        if c.source and c.path < custom.path:
            continue  # reported there
        for name in sorted({*own} & names(c)) if not c.source else ():
            yield name, f"a name of {c.folder} `{c.value}`"
        for name, source in sorted(sources(c).items()):
            if own.get(name, source) != source:
                yield name, f"`{source}`, an import of {c.folder} `{c.value}`"


def imported(c: Component) -> set[str]:
    """The names that a component imports."""
    return {*sources(c)}


def sources(c: Component) -> dict[str, str]:
    """The names that a component imports, and what each stands for: `F` -> `torch.nn.functional`.

    A package that is imported by a dotted name (`import torch.nn`) stands for itself.
    """
    found = {}
    for module, listed in c.imports.items():
        for entry in listed:
            what, renamed, name = entry.partition(" as ")
            local = name if renamed else what.partition(".")[0]
            path = what if renamed else local
            found[local] = f"{module}.{what}" if module else path
    return found


def names(c: Component) -> set[str]:
    """The top-level names that a component defines."""
    return {n for n in c.definitions if "." not in n}
