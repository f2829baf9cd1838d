"""The files of a package's samplers.

A method with one sampler has one file, sampler.py. A method with several has a file for each kind
of sampler (`sampler_fixed_budget.py`), one for each wrap (`wrap_blocks.py`) and each corrector
(`corrector_gibbs.py`), and samplers.py, which runs each sampler by its name, with its section of
the config. A sampler in several loops also has a file for each wrap and each corrector.
"""

from xlm_spec.compiler.components import Component
from xlm_spec.compiler.emit.parts import Parts
from xlm_spec.compiler.emit.plan import (
    Assign,
    File,
    For,
    Function,
    Leave,
    Return,
    SamplerFile,
    SamplersFile,
    Statement,
    Yield,
    assign,
    imported,
)
from xlm_spec.compiler.middle.call import Call
from xlm_spec.compiler.middle.method import Loop, Method, module_of, of_kinds

GIVEN = ("model", "config: Config", "start: Examples", "rng: Generator")  # to every sampler
PASSED = ("model", "config", "start", "rng")


class Samplers:
    """The samplers of one method on their way to files."""

    def __init__(self, method: Method, parts: Parts):
        self.method, self.parts = method, parts
        self.several = len(method.loops) > 1

    def kinds(self) -> list[SamplerFile]:
        """A file for each kind of sampler."""
        files: dict[str, list[Loop]] = {}
        for loops in of_kinds(self.method.loops):
            files.setdefault(loops[0].module, []).append(loops[0])
        return [self.kind(loops) for loops in files.values()]

    def kind(self, loops: list[Loop]) -> SamplerFile:
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
        return SamplerFile(
            name=loop.sampling.name,
            doc=f"Sampler {c.value} of {name}" if self.several else f"The sampler of {name}",
            details=f"{c.title[0].lower()}{c.title[1:]}.",
            imports=imported(wanted),
            parts=parts,
            module=loop.module,
            functions=[Function(x.function, given(x), returned(x), body(x)) for x in loops],
        )

    def around(self) -> list[File]:
        """A file for each wrap and each corrector that does not stand in the sampler's."""
        found = {module_of(c): c for x in self.method.loops if x.apart for c in x.listed}
        files = []
        for module, choice in found.items():
            c = choice.component
            wanted: dict[str, set[str]] = {}
            parts = self.parts.take(c, roots(c), wanted)
            doc = f"{c.folder.capitalize()} {c.value} of {self.method.spec.name}"
            files.append(File(module, doc, f"{c.title}.", imported(wanted), parts))
        return files

    def named(self) -> list[File]:
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
        doc = f"The samplers of {self.method.spec.name}, by name; the first is the default."
        functions = {loop.sampling.name: by_name(loop) for loop in loops}
        return [SamplersFile("samplers", doc, "", imported(wanted), [], functions)]

    def types(self, wanted: dict[str, set[str]], names: set[str]) -> None:
        """Types of the library that a file imports."""
        wanted.setdefault(".types", set()).update(names)
        self.parts.needed["types"] |= names


def roots(c: Component) -> set[str]:
    """What the function that runs a sampler calls of one of its components."""
    return {c.wrapper} if c.wrapper else set(c.functions)


def given(loop: Loop) -> tuple[str, ...]:
    """The parameters of `sample`; of several samplers, each is given its settings."""
    return (*GIVEN, f"settings: {loop.settings}") if loop.settings else GIVEN


def returned(loop: Loop, home: str = "") -> str:
    """The type of what `sample` returns; `home.` is the module of a state of its own."""
    own = loop.state in loop.loop.definitions
    return f"Iterator[{home if own else ''}{loop.state}]"


def by_name(loop: Loop) -> Function:
    """The function that runs one of several samplers."""
    rules = [f"{c.axis.key} {c.value}" for c in loop.rules.values()]
    listed = [f"{c.axis.key} {c.value}" for c in loop.listed]
    passed = (*PASSED, f"config.{loop.path}") if loop.settings else PASSED
    return Function(
        name=f"sample_{loop.sampling.name}",
        parameters=GIVEN,
        returns=returned(loop, f"{loop.module}."),
        body=(Return(Call(f"{loop.module}.{loop.function}", passed)),),
        doc=f"{', '.join([f'Sampler {loop.loop.value}', *rules, *listed])}.",
    )


def body(loop: Loop) -> tuple[Statement, ...]:
    """The body of `sample`: objects, wraps, prior, loops around, [init_state], the loop itself."""
    first = [Assign(name, place) for name, place in loop.objects.items()]
    first += map(assign, (*loop.models, loop.prior))
    init_state = [assign(loop.init_state)] if loop.init_state else []
    if not loop.around:
        return (*first, *init_state, Yield("state"), steps(loop, "return"))
    inner: list[Statement] = [*init_state, steps(loop, "break")]
    for around in reversed(loop.around):
        examples = [assign(around.examples)] if around.examples else []
        windows = For(around.ticks, around.windows, (assign(around.narrow), *inner))
        inner = [*examples, windows]
    return (*first, Yield("state"), *inner)


def steps(loop: Loop, end: str) -> For:
    """The loop itself; `end` is how it ends early."""
    finished = [Leave(loop.finished, end)] if loop.finished else []
    corrections = map(assign, loop.corrections)
    shown = Yield(loop.shown or "state")
    return For(
        names=loop.ticks,
        iterator=loop.time_grid,
        body=(Assign("state", loop.step), *corrections, shown, *finished),
    )
