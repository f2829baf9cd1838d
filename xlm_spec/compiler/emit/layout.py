"""Plan -> what the templates read, which only list lines: copier's answers hold it as `ir`."""

import re
import textwrap

from xlm_spec.compiler.emit.code import (
    WIDTH,
    block,
    field,
    function,
    imports,
    mapping,
    signature,
    statement,
)
from xlm_spec.compiler.emit.plan import (
    Config,
    File,
    Function,
    Init,
    Model,
    Objective,
    Plan,
    Return,
    SamplerFile,
    SamplersFile,
    Section,
)

IR_VERSION = 1
URL = re.compile(r"https?://[\w./?=%#:;,~+-]+")
MARKUP = re.compile(r"[\\`*_\[\]<>&~#$]")
BLOCK = re.compile(r"^(\d*)([-+.)])")  # the start of a list or a rule in Markdown


def laid_out(plan: Plan) -> dict:
    """The plan as lines of Python and Markdown."""
    parts = {name: separated(name, text) for name, text in plan.parts.items()}
    for file in plan.modules:
        parts |= parts_of_samplers(file) if isinstance(file, SamplersFile) else {}
    return {
        "ir_version": IR_VERSION,
        "name": plan.name,
        "title": plan.title,
        "paper": plan.paper,
        "source": plan.source,
        "exports": plan.exports,
        "modules": [module(f) for f in plan.modules],
        "samplers": [sampler(f) for f in plan.samplers],
        "config": config(plan.config),
        "model": model(plan.model),
        "objective": objective(plan.objective),
        "init": {"doc": escaped(plan.title)} | init(plan.init),
        "experiment": [x for k, v in plan.experiment.items() for x in mapping(f"{k} = ", v)],
        "method": plan.method,
        "inferred": plan.inferred,
        "card": [row(choice) for choice in plan.card],
        "parts": parts,
        "head": {"title": inert(plan.title), "paper": inert(plan.paper)},
        "own": plan.own,
        "laws": plan.laws,
        "exact_at": plan.exact_at,
        "minimisers": plan.minimisers,
    }


def separated(name: str, text: str) -> str:
    """A definition with the blank lines before it; a method of a class, `Class.name`, has one."""
    return ("\n" if "." in name else "\n\n") + text


def listed(file: File) -> dict:
    """A file that lists definitions."""
    doc = docstring(file.doc, file.details)
    return {
        "name": file.name,
        "doc": doc,
        "summary": doc.split("\n")[0],
        "imports": imports(file.imports),
        "parts": file.parts,
    }


def docstring(doc: str, details: str) -> str:
    """The text of a module's docstring: one line, or a summary and details below it."""
    if not details:
        return doc + "\n" * ("\n" in doc)
    line = f"{doc}: {details}"
    if len(line) + 6 <= WIDTH:
        return line
    return f"{doc}.\n\n{textwrap.fill(details[0].upper() + details[1:], WIDTH)}\n"


def module(file: File) -> dict:
    out = listed(file)
    return out | ({"parts": [*parts_of_samplers(file)]} if isinstance(file, SamplersFile) else {})


def parts_of_samplers(file: SamplersFile) -> dict[str, str]:
    """The functions of samplers.py, and the table of them."""
    bodies = {name: function(f) for name, f in file.functions.items()}
    names = {name: f.name for name, f in file.functions.items()}
    first = next(iter(names.values()))
    bodies["SAMPLERS"] = [*mapping("SAMPLERS = ", names), f"sample = {first}"]
    return {f"{file.name}/{k}": separated(k, "\n".join(body)) for k, body in bodies.items()}


def sampler(file: SamplerFile) -> dict:
    first, *more = [body_of_sampler(f) for f in file.functions]
    return listed(file) | {"module": file.module, **first, "more": more}


def body_of_sampler(f: Function) -> dict:
    """The template has the decorator and the docstring."""
    return {"signature": signature(f), "lines": block(f.body, 4)}


def config(c: Config) -> dict:
    return {
        "imports": imports(c.imports),
        "sections": [section(s) for s in c.sections],
        "lines": [line for f in c.fields for line in field(f)],
        "small": statement(Return(c.small), 8),
    }


def section(s: Section) -> dict:
    """The doc is a comment behind the name of the class; its first words, if it is too long."""
    fits = len(f"class {s.name}:  # {s.doc}") <= WIDTH
    doc = s.doc if fits else s.doc.partition(",")[0]
    return {"name": s.name, "doc": doc, "lines": [line for f in s.fields for line in field(f)]}


def model(m: Model) -> dict:
    return {
        "imports": imports(m.imports),
        "parts": m.parts,
        "lines": block(m.attributes, 8),
        "passes": [{"lines": function(f, 4)} for f in m.methods],
    }


def objective(o: Objective) -> dict:
    bounds = [{"doc": o.bound_doc, "lines": block(o.bound, 4)}] if o.bound else []
    return {"imports": imports(o.imports), "lines": block(o.body, 4), "bounds": bounds}


def init(i: Init) -> dict:
    needs = [f'"{name}"' for name in i.needs]
    return {
        "imports": imports(i.imports),
        "bound_at": mapping("BOUND_AT = ", i.bound_at, "where the bound holds"),
        "exact": i.exact,
        "needs": f"({needs[0]},)" if len(needs) == 1 else f"({', '.join(needs)})",
        "samplers": mapping("SAMPLERS = ", i.samplers) if i.samplers else [],
    }


def escaped(text: str) -> str:
    """Text inside the quotes of a docstring."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def row(choice: dict[str, str]) -> str:
    """A row of a Markdown table: axis, value, title, paper."""
    cells = choice["axis"], f"`{choice['value']}`", choice["title"], choice["paper"]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def inert(text: str) -> str:
    """Markdown that shows a text literally, or as a link if it is an address."""
    if URL.fullmatch(text):
        return f"<{text}>"
    return BLOCK.sub(r"\1\\\2", MARKUP.sub(r"\\\g<0>", text))
