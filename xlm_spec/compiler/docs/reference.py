"""The reference pages: Markdown from the components, the runtime's settings and the tasks.

`make regen` writes them to `docs/reference/`. They are not edited by hand.
"""

import ast
import re
from collections.abc import Collection, Iterable

from xlm_spec.compiler.axes import (
    AXES,
    CORRECTOR,
    HEAD,
    INSIDE,
    LOSS,
    NOISE,
    PROCESS,
    ROLL_IN,
    RULES,
    SAMPLER,
    TARGET,
    WEIGHT,
    Axis,
    components_of,
)
from xlm_spec.compiler.components import HERE, Parameter, also_known_as, without_synonyms
from xlm_spec.compiler.declarations import DECLARATIONS
from xlm_spec.compiler.docs.cards import Card, card
from xlm_spec.compiler.docs.markdown import escaped, linked, scalar, sentence
from xlm_spec.compiler.frontend.schema import schema
from xlm_spec.compiler.middle.likelihood import fits_target, has_rate
from xlm_spec.compiler.middle.network import used_of_model
from xlm_spec.compiler.runtime_settings import described_as_code, settings, tasks

ABOVE = "../.."  # from docs/reference to the root of the repository
REQUIRED = {v: card(SAMPLER, c).requires for v, c in components_of(SAMPLER).items()}
NONE_SHIPPED = "No value is shipped: write the file of a custom component."
FOLDERS = tuple(dict.fromkeys(a.folder for a in AXES))  # two axes can have the same values


def pages() -> dict[str, str]:
    """File name of each page -> its Markdown."""
    made = {f"{f}.md": axis_page([a for a in AXES if a.folder == f]) for f in FOLDERS}
    made |= {"language.md": language(), "declarations.md": declarations_page()}
    return made | {"settings.md": settings_page(), "tasks.md": tasks_page()}


def axis_page(axes: list[Axis]) -> str:
    """The page of the axes that have the same values, with a card for each value."""
    found = [card(axes[-1], c) for c in components_of(axes[-1]).values()]
    rows = [(f"[`{c.value}`](#{c.value})", escaped(c.title)) for c in found]
    parts = [
        "# " + " and ".join(f"`{a.path}`" for a in axes),
        " ".join(sentence(a.meaning) for a in axes) + default(axes[-1]),
        table(("value", "description"), rows) if rows else NONE_SHIPPED,
        *(part for c in found for part in section(c)),
    ]
    return page(parts)


def default(axis: Axis) -> str:
    return f" Default: [`{axis.default}`](#{axis.default})." if axis.default else ""


def section(c: Card) -> list[str]:
    """The section of one card."""
    facts = [
        ("requires", ", ".join(wire(w) for w in c.requires)),
        ("provides", f"`{c.provides}`" if c.provides else ""),
        ("bound", c.bound),
        ("paper", linked(escaped(c.paper))),
        ("also known as", ticked(", ".join(c.synonyms))),
    ]
    lines = [f"- {name}: {what}" for name, what in facts if what]
    lines += [f"- declares: `{line}`: {escaped(m)}" for line, m in c.declares.items()]
    lines += [f"- differs: {ticked(words)}: {escaped(note)}" for note, words in c.differs.items()]
    notes = [f"- `{name}`: {prose(doc, '  ')}" for name, doc in c.notes.items()]
    return [
        f"## {c.value}",
        f"{sentence(escaped(c.title))}",
        fence("yaml", in_a_spec(c)),
        fence("text", c.equation) if c.equation else "",
        "\n".join(lines),
        parameters(c.parameters) if c.parameters else "",
        "\n".join(["In the file:\n", *notes]) if notes else "",
        source(f"templates/components/{c.path}"),
    ]


def in_a_spec(c: Card) -> str:
    """The line of a spec that selects this value, with the defaults of its parameters."""
    numbers = {p.name: scalar(p.default) for p in c.parameters}
    as_kind = flow({"kind": c.value} | numbers) if numbers else c.value
    as_item = f"{c.value}: {flow(numbers)}" if numbers else c.value
    if c.axis in NOISE:
        also = {} if c.axis == PROCESS else {PROCESS.key: "mask"}
        clocks = {w: "linear" for w in c.requires if w.endswith("_schedule")}
        return f"noise: {flow(also | {c.axis.key: as_kind} | clocks)}"
    if c.axis == ROLL_IN:
        process = "drop" if "dropped" in c.requires else "mask"
        return f"noise: {flow({PROCESS.key: process, c.axis.key: f'[{as_item}]'})}"
    if c.axis == WEIGHT:
        return f"loss: [{weighed(c.value)}: {flow({WEIGHT.key: as_kind})}]"
    if c.axis in INSIDE:
        takes = next(s for s, read in REQUIRED.items() if takes_rule(c, s, read))
        inner = flow({c.value: flow(numbers)}) if numbers else c.value
        return f"sampler: {flow({'kind': takes, c.axis.key: inner if c.axis.many else as_kind})}"
    if c.axis == SAMPLER:
        needed = [a for a in RULES if a.wire in c.requires and not a.default]
        rules = {a.key: next(iter(components_of(a))) for a in needed}
        as_kind = flow({"kind": c.value} | numbers | rules) if numbers | rules else c.value
    return f"{c.axis.path}: {f'[{as_item}]' if c.axis.many else as_kind}"


def takes_rule(c: Card, sampler: str, read: Collection[str]) -> bool:
    """Does a sampler read this rule, or fit this wrap or this corrector?

    A wrap has the heads that the sampler reads, and the same kind of schedule; a corrector changes
    its state and reads its heads.
    """
    if not c.axis.many:
        return c.axis.wire in read
    loop, chosen = components_of(SAMPLER)[sampler], components_of(c.axis)[c.value]
    heads = [used_of_model(x) & {*components_of(HEAD)} for x in (loop, chosen)]
    if c.axis == CORRECTOR:
        same = loop.functions["step"].returns == chosen.main.wires["state"]
        return same and heads[0] <= heads[1]
    built = chosen.methods.get(chosen.wrapper, {}).get("__init__")
    takes = built.wires.get("schedule") if built else None
    given = loop.functions["step"].wires.get("schedule")
    return heads[1] <= heads[0] and takes in (None, given)


def weighed(weight: str) -> str:
    """A loss that can have this weight, first the plain cross-entropy."""
    c = components_of(WEIGHT)[weight]
    for loss in sorted(components_of(LOSS).values(), key=lambda c: c.value != "cross_entropy"):
        kind = loss.main.wires["target"]
        targets = [t for t, target in components_of(TARGET).items() if target.main.returns == kind]
        processes = components_of(PROCESS).values()
        if not has_rate(c) or any(fits_target(c, p, t) for p in processes for t in targets):
            return loss.value
    raise AssertionError(weight)


def language() -> str:
    """The sections of a spec on one page."""
    required = schema()["required"]
    rows = []
    for section_of, form in FORMS.items():
        must = "yes" if section_of in required else "no"
        axes = (a for a in AXES if a.parts[0] == section_of)
        linked_axes = ", ".join(f"[`{a.path}`]({a.folder}.md)" for a in axes)
        rows.append((f"`{section_of}`", form, must, linked_axes))
    values = [
        (
            f"[`{a.path}`]({a.folder}.md)",
            sentence(a.meaning) + also(a.synonyms),
            f"`{a.default}`" if a.default else "",
            ", ".join(f"[`{v}`]({a.folder}.md#{v})" for v in components_of(a)),
        )
        for a in AXES
    ]
    return page(
        [
            "# The language on one page",
            "A spec is one YAML file that reads like the method section of a paper. This is a "
            "shipped spec; its comments explain each line:",
            source_shown("specs/mdlm.yaml", "yaml"),
            "## Sections",
            table(("section", "form", "required", "axes"), rows),
            "## Axes",
            table(("axis", "meaning", "default", "values"), values),
            "The default of an axis applies if a component requires what the axis provides. A "
            "value of an axis that no component requires is an error (X204). `xlm-spec build "
            "--emit spec SPEC` prints a spec with all its defaults.",
            "## Forms",
            "\n".join(
                [
                    "- A value without parameters, or with default parameters, is a name: "
                    "`schedule: cosine`. A value with parameters is a mapping with `kind`: "
                    "`schedule: {kind: polynomial, power: 3}`.",
                    "- A target, a loss, a head, a wrap or a corrector is a name or "
                    "`name: {parameters}`, or a list of these.",
                    "- `sampler` is one value, or a mapping from names to values. The first "
                    "sampler is the default; `--sampler NAME` selects another.",
                    "- Unknown keys are errors at every depth. A synonym from papers or other code "
                    "is also an error; its hint gives the name to use.",
                    "- YAML 1.2: `1e-4` is a number, `no` and `80_000` are strings. Tags, merge "
                    "keys and duplicate keys are errors.",
                    "- `xlm_spec: 1` is the version of the language. `name` is the name of the "
                    "package: lower-case letters, digits and underscores.",
                ]
            ),
            "The JSON Schema of the language is `xlm_spec/spec.schema.json` (`xlm-spec schema`). "
            "The first line of a spec names it, so that editors complete and check specs.",
        ]
    )


def declarations_page() -> str:
    """What components declare."""
    return page(
        [
            "# Declarations of components",
            "What the signatures of a component can't say, its file declares with constants. Each "
            "axis has a closed list. An unknown declaration or another value is an error (X116), "
            "in shipped and custom components alike; a constant that the file's own code reads may "
            "have any other name.",
            declarations_table(),
        ]
    )


def declarations_table() -> str:
    rows = [
        (
            f"`{d.name}`",
            ", ".join(d.folders),
            d.form.allowed.replace("|", "\\|"),
            escaped(d.meaning),
            f"`{d.name} = {d.example}`",
        )
        for d in DECLARATIONS
    ]
    return table(("declaration", "of", "allowed", "meaning", "example"), rows)


FORMS = {
    "xlm_spec": "`1`",
    "name": "a name",
    "title": "text",
    "paper": "text",
    "noise": "a mapping; each axis one value, and further schedules such as `drop_schedule`",
    "target": "one or a list",
    "loss": "one or a list, each with a `weight` (a value or a number); `of` names its target",
    "sampler": "one value, or names to values",
    "backbone": "one value",
    "head": "one or a list; inferred, so only custom heads and parameters are listed",
    "data": "[settings](settings.md#data)",
    "train": "[settings](settings.md#train)",
}


def settings_page() -> str:
    """`data.*` and `train.*`."""
    run = settings()
    parts = [
        "# Settings of a run",
        "The keys of `data` and `train` in a spec; on the command line `--set data.KEY=VALUE` and "
        "`--set train.KEY=VALUE`. Order of precedence: `--set`, `--config`, `--size`, the spec, "
        "the task's defaults, the defaults on this page. The value of a setting of type code is "
        "one of its names, an import path, or `./file.py:Name` ([Extend the "
        "runtime](../guides/extend-the-runtime.md)).",
    ]
    for name, fields in run.fields.items():
        words = also_known_as(run.classes[name]).get("", {})
        doc = without_synonyms(run.classes[name]) + also(words)
        parts += [f"## {name.lower()}", prose(doc), shown(name, fields)]
    return page([*parts, source("xlm_spec/runtime/config/settings.py")])


def shown(section: str, fields: Iterable[Parameter]) -> str:
    return parameters(described_as_code(section.lower(), p) for p in fields)


def tasks_page() -> str:
    """Each task, from the docstring of its file."""
    parts = [
        "# Tasks",
        "`--task NAME`, or `data: {task: NAME}` in a spec. A task provides data, a vocabulary, "
        "metrics and sizes (`--size cpu`) that learn it. It works with every method.",
    ]
    for name, options in tasks().items():
        path, text = task_file(name)
        parts += [f"## {name}", prose(docstring(text)), *family(text)]
        parts += ["Options, `--set data.KEY=VALUE`:", parameters(options)] if options else []
        parts += [source(path)]
    return page(parts)


def task_file(name: str) -> tuple[str, str]:
    path = f"xlm_spec/runtime/tasks/{name}.py"
    return path, (HERE.parent / path).read_text(encoding="utf-8")


def docstring(text: str) -> str:
    return ast.get_docstring(ast.parse(text)) or ""


def family(text: str) -> list[str]:
    """The docstring of the file that defines the class of a task."""
    kind = re.search(r"^TASK = (\w+)\(", text, re.M)
    made = kind and re.search(
        rf"^from xlm_spec\.runtime\.tasks\.(\w+) import {kind[1]}$", text, re.M
    )
    return [prose(docstring(task_file(made[1])[1]))] if made else []


def parameters(found: Iterable[Parameter]) -> str:
    rows = [
        (
            f"`{p.name}`",
            p.type,
            f"`{scalar(p.default)}`" if p.default is not None else "",
            ", ".join(f"`{c}`" for c in p.choices)
            or (f"{escaped(str(p.range))}" if p.range else ""),
            sentence(escaped(p.meaning)) + also(p.synonyms),
        )
        for p in found
    ]
    return table(("parameter", "type", "default", "range", "meaning"), rows)


def also(words: Iterable[str]) -> str:
    """The synonyms from papers and other code."""
    listed = ", ".join(f"`{w}`" for w in words)
    return f" Also known as {listed}." if listed else ""


def ticked(words: str) -> str:
    """A list of words, each as code."""
    return ", ".join(f"`{w}`" for w in words.split(", ") if w)


def wire(name: str) -> str:
    """A wire, linked to the axis that provides it."""
    made = next((a for a in AXES if a.wire == name), None)
    return f"[`{name}`]({made.folder}.md)" if made else f"`{name}`"


def page(parts: Iterable[str]) -> str:
    return "\n\n".join(p for p in parts if p) + "\n"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def fence(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def source(path: str) -> str:
    """The source file, collapsed."""
    return "\n\n".join(
        [f"<details>\n<summary><code>{path}</code></summary>", source_shown(path), "</details>"]
    )


def source_shown(path: str, language: str = "python") -> str:
    return f"```{{literalinclude}} {ABOVE}/{path}\n:language: {language}\n```"


def flow(mapping: dict[str, str]) -> str:
    return "{" + ", ".join(f"{k}: {v}" for k, v in mapping.items()) + "}"


def prose(doc: str, indent: str = "") -> str:
    """A docstring as paragraphs."""
    lines = linked(escaped(doc)).splitlines()
    return "\n".join([lines[0], *((indent + line).rstrip() for line in lines[1:])]) if lines else ""
