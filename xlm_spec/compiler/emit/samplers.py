"""The files of a package's samplers.

A method with one sampler has one file, sampler.py. A method with several has a file for each kind
of sampler (`sampler_fixed_budget.py`), one for each wrap (`wrap_blocks.py`) and each corrector
(`corrector_gibbs.py`), and samplers.py, which runs each sampler by its name, with its section of
the config. A sampler in several loops also has a file for each wrap and each corrector.
"""

import textwrap

from xlm_spec.compiler.components import Component
from xlm_spec.compiler.emit.code import WIDTH, Call, assigned
from xlm_spec.compiler.emit.objective import assign
from xlm_spec.compiler.emit.parts import Parts, docstring, listed_file
from xlm_spec.compiler.middle.method import Loop, Method, module_of, of_kinds

GIVEN = ("model", "config: Config", "start: Examples", "rng: Generator")  # to every sampler
PASSED = ("model", "config", "start", "rng")


class Samplers:
    """The samplers of one method on their way to files."""

    def __init__(self, method: Method, parts: Parts):
        self.method, self.parts = method, parts
        self.several = len(method.loops) > 1

    def kinds(self) -> list[dict]:
        """A file for each kind of sampler."""
        files: dict[str, list[Loop]] = {}
        for loops in of_kinds(self.method.loops):
            files.setdefault(loops[0].module, []).append(loops[0])
        return [self.kind(loops) for loops in files.values()]

    def kind(self, loops: list[Loop]) -> dict:
        """The component, and the functions that run it: with its wraps and correctors, without."""
        loop = loops[0]
        c, name = loop.loop, self.method.spec.name
        wanted: dict[str, set[str]] = {}
        parts: list[str] = []
        for part in loop.in_file:
            parts += self.parts.take(part.component, roots(part.component), wanted)
        self.types(wanted, {"Examples"} | ({loop.state} - set(c.definitions)))
        wanted.setdefault(".noise", set()).add(loop.prior.call.function)
        wanted.setdefault(".config", set()).update({"Config"} | {x.settings for x in loops} - {""})
        wanted.setdefault("collections.abc", set()).add("Iterator")
        wanted.setdefault("torch", set()).add("Generator")
        wanted.setdefault("", set()).add("torch")
        wanted["."] = {module_of(c) for x in loops if x.apart for c in x.listed}
        which = f"Sampler {c.value} of {name}" if self.several else f"The sampler of {name}"
        doc = docstring(which, f"{c.title[0].lower()}{c.title[1:]}.")
        first, *more = [{"signature": signature(x), "lines": sampling_lines(x)} for x in loops]
        file = listed_file(loop.sampling.name, doc, wanted, parts)
        return file | {"module": loop.module, **first, "more": more}

    def around(self) -> list[dict]:
        """A file for each wrap and each corrector that does not stand in the sampler's."""
        found = {module_of(c): c for x in self.method.loops if x.apart for c in x.listed}
        files = []
        for module, choice in found.items():
            c = choice.component
            wanted: dict[str, set[str]] = {}
            parts = self.parts.take(c, roots(c), wanted)
            doc = f"{c.folder.capitalize()} {c.value} of {self.method.spec.name}"
            files.append(listed_file(module, docstring(doc, f"{c.title}."), wanted, parts))
        return files

    def named(self) -> list[dict]:
        """samplers.py, where there are several samplers."""
        if not self.several:
            return []
        loops = self.method.loops
        mine = {loop.state for loop in loops if loop.state in loop.loop.definitions}
        wanted = {
            ".": {loop.module for loop in loops},
            ".config": {"Config"},
            "collections.abc": {"Iterator"},
            "torch": {"Generator"},
        }
        self.types(wanted, {"Examples"} | {loop.state for loop in loops} - mine)
        parts = {f"samplers/{loop.sampling.name}": by_name(loop) for loop in loops}
        names = {loop.sampling.name: f"sample_{loop.sampling.name}" for loop in loops}
        table = assigned("SAMPLERS", names)
        first = f"sample = sample_{loops[0].sampling.name}"
        parts["samplers/SAMPLERS"] = "\n".join(["", "", *table, first])
        self.parts.texts |= parts
        doc = f"The samplers of {self.method.spec.name}, by name; the first is the default."
        return [listed_file("samplers", doc, wanted, [*parts])]

    def types(self, wanted: dict[str, set[str]], names: set[str]) -> None:
        """Types of the library that a file imports."""
        wanted.setdefault(".types", set()).update(names)
        self.parts.needed["types"] |= names


def roots(c: Component) -> set[str]:
    """What the function that runs a sampler calls of one of its components."""
    return {c.wrapper} if c.wrapper else set(c.functions)


def signature(loop: Loop) -> list[str]:
    """`def sample(...)` of one sampler; of several each is given its settings."""
    given = (*GIVEN, f"settings: {loop.settings}") if loop.settings else GIVEN
    return Call(loop.function, given).lines("def ", f" -> Iterator[{loop.state}]:")


def by_name(loop: Loop) -> str:
    """The function that runs one of several samplers."""
    name = loop.sampling.name
    state = f"{loop.module}.{loop.state}" if loop.state in loop.loop.definitions else loop.state
    rules = [f"{c.axis.key} {c.value}" for c in loop.rules.values()]
    listed = [f"{c.axis.key} {c.value}" for c in loop.listed]
    parts = ", ".join([f"Sampler {loop.loop.value}", *rules, *listed])
    doc = textwrap.wrap(f'"""{parts}."""', WIDTH - 4)
    passed = (*PASSED, f"config.{loop.path}") if loop.settings else PASSED
    lines = Call(f"sample_{name}", GIVEN).lines("def ", f" -> Iterator[{state}]:")
    lines += [f"    {line}" for line in doc]
    lines += Call(f"{loop.module}.{loop.function}", passed).lines("return ", "", 4)
    return "\n".join(["", "", *lines])


def sampling_lines(loop: Loop) -> list[str]:
    """The body of `sample`: objects, wraps, prior, loops around, [init_state], the loop itself."""
    lines = [f"    {name} = {place}" for name, place in loop.objects.items()]
    lines += [text for line in (*loop.models, loop.prior) for text in assign(line, 4)]
    init_state = assign(loop.init_state, 4 + 4 * len(loop.around)) if loop.init_state else []
    if not loop.around:
        return [*lines, *init_state, "    yield state", *inner_lines(loop, "return", 4)]
    lines.append("    yield state")
    for i, around in enumerate(loop.around):
        indent = 4 + 4 * i
        lines += assign(around.examples, indent) if around.examples else []
        lines += around.windows.lines(f"for {around.ticks} in ", ":", indent)
        lines += assign(around.narrow, indent + 4)
    return lines + init_state + inner_lines(loop, "break", 4 + 4 * len(loop.around))


def inner_lines(loop: Loop, end: str, indent: int) -> list[str]:
    """The loop itself; `end` is how it ends early."""
    space = " " * indent
    lines = loop.time_grid.lines(f"for {loop.ticks} in ", ":", indent)
    lines += loop.step.lines("state = ", "", indent + 4)
    lines += [text for line in loop.corrections for text in assign(line, indent + 4)]
    shown = loop.shown.lines("yield ", "", indent + 4) if loop.shown else []
    lines += shown or [f"{space}    yield state"]
    if loop.finished:
        lines += [f"{space}    if {loop.finished}:", f"{space}        {end}"]
    return lines
