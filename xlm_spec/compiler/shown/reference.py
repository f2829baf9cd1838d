"""The reference: Markdown from the components, the runtime's settings and the tasks.

`make regen` writes the pages to `docs/reference/`; nothing on them is written by hand.
"""

import ast
import re
from collections.abc import Iterable

from xlm_spec.compiler.axes import (
    AXES,
    BACKBONE,
    LOSS,
    NOISE,
    OUTER,
    PROCESS,
    RULES,
    SAMPLER,
    TARGET,
    WEIGHT,
    Axis,
    cards,
    settings,
    tasks,
)
from xlm_spec.compiler.components import HERE, Parameter, also_known_as, without_synonyms
from xlm_spec.compiler.form.schema import schema
from xlm_spec.compiler.method import fits_target
from xlm_spec.compiler.shown.cards import Card, card
from xlm_spec.compiler.shown.markdown import escaped, linked, scalar, sentence

ABOVE = "../.."  # from docs/reference to the root of the repository
INSIDE = (*RULES, OUTER)  # axes inside one sampler
READ = {v: card(SAMPLER, c).needs for v, c in cards(SAMPLER).items()}
FOLDERS = tuple(dict.fromkeys(a.folder for a in AXES))  # two axes may take the same values


def pages() -> dict[str, str]:
    """The name of each page -> its Markdown."""
    made = {f"{f}.md": axis_page([a for a in AXES if a.folder == f]) for f in FOLDERS}
    made |= {"language.md": language(), "settings.md": settings_page(), "tasks.md": tasks_page()}
    return made


def axis_page(axes: list[Axis]) -> str:
    """A page for the axes that take the same values, a card a value."""
    found = [card(axes[-1], c) for c in cards(axes[-1]).values()]
    rows = [(f"[`{c.value}`](#{c.value})", escaped(c.title)) for c in found]
    parts = [
        "# " + " and ".join(f"`{a.path}`" for a in axes),
        " ".join(sentence(a.meaning) for a in axes) + default(axes[-1]),
        table(("value", "what it is"), rows),
        *(part for c in found for part in section(c)),
    ]
    return page(parts)


def default(axis: Axis) -> str:
    return f" Default: [`{axis.default}`](#{axis.default})." if axis.default else ""


def section(c: Card) -> list[str]:
    """One card."""
    facts = [
        ("needs", ", ".join(wire(w) for w in c.needs)),
        ("makes", f"`{c.makes}`" if c.makes else ""),
        ("bound", c.bound),
        ("paper", linked(escaped(c.paper))),
        ("also known as", ", ".join(f"`{s}`" for s in c.synonyms)),
    ]
    told = [f"- {name}: {what}" for name, what in facts if what]
    notes = [f"- `{name}`: {prose(doc, '  ')}" for name, doc in c.notes.items()]
    return [
        f"## {c.value}",
        f"{sentence(escaped(c.title))}",
        fence("yaml", in_a_spec(c)),
        fence("text", c.equation) if c.equation else "",
        "\n".join(told),
        parameters(c.parameters) if c.parameters else "",
        "\n".join(["In the file:\n", *notes]) if notes else "",
        source(f"templates/components/{c.path}"),
    ]


def in_a_spec(c: Card) -> str:
    """The line of a spec that chooses this value, its parameters at their defaults."""
    numbers = {p.name: scalar(p.default) for p in c.parameters}
    as_kind = flow({"kind": c.value} | numbers) if numbers else c.value
    as_item = f"{c.value}: {flow(numbers)}" if numbers else c.value
    if c.axis in NOISE:
        also = {} if c.axis == PROCESS else {PROCESS.key: "mask"}
        return f"noise: {flow(also | {c.axis.key: as_kind})}"
    if c.axis == WEIGHT:
        return f"loss: [{weighed(c.value)}: {flow({WEIGHT.key: as_kind})}]"
    if c.axis in INSIDE:
        takes = next(s for s, read in READ.items() if c.axis.wire in (*read, ""))
        return f"sampler: {flow({'kind': takes, c.axis.key: as_kind})}"
    if c.axis == SAMPLER:
        asked = [a for a in RULES if a.wire in c.needs and not a.default]
        rules = {a.key: next(iter(cards(a))) for a in asked}
        as_kind = flow({"kind": c.value} | numbers | rules) if numbers | rules else c.value
    return f"{c.axis.path}: {f'[{as_item}]' if c.axis in (TARGET, LOSS) else as_kind}"


def weighed(weight: str) -> str:
    """A loss that may have this weight."""
    c = cards(WEIGHT)[weight]
    for loss in cards(LOSS).values():
        kind = loss.main.wires["target"]
        asked = [t for t, target in cards(TARGET).items() if target.main.returns == kind]
        processes = cards(PROCESS).values()
        if "COUNT" not in c.constants or any(
            fits_target(c, p, t) for p in processes for t in asked
        ):
            return loss.value
    raise AssertionError(weight)


def language() -> str:
    """The sections of a spec on one page."""
    required = schema()["required"]
    rows = []
    for section_of, axes in PLACES.items():
        must = "yes" if section_of in required else "no"
        linked_axes = ", ".join(f"[`{a.path}`]({a.folder}.md)" for a in axes)
        rows.append((f"`{section_of}`", FORMS[section_of], must, linked_axes))
    values = [
        (
            f"[`{a.path}`]({a.folder}.md)",
            sentence(a.meaning) + also(a.synonyms),
            f"`{a.default}`" if a.default else "",
            ", ".join(f"[`{v}`]({a.folder}.md#{v})" for v in cards(a)),
        )
        for a in AXES
    ]
    return page(
        [
            "# The language on one page",
            "A spec is one YAML file that reads like the method section of a paper. This one "
            "ships; its comments say what each line means:",
            source_shown("specs/mdlm.yaml", "yaml"),
            "## Sections",
            table(("section", "form", "required", "axes"), rows),
            "## Axes",
            table(("axis", "what it decides", "default", "values"), values),
            "A default is taken where another component reads what the axis makes; an axis that "
            "nothing reads is refused (X204). `xlm-spec build --emit spec SPEC` prints a spec with "
            "all that it leaves open.",
            "## Forms",
            "\n".join(
                [
                    "- A value without parameters of its own, or with all at their defaults, is "
                    "its name: `schedule: cosine`. Else it is a mapping with `kind`: "
                    "`schedule: {kind: polynomial, power: 3}`.",
                    "- A target or a loss is a name, or `name: {parameters}`; several are a list.",
                    "- `sampler` is one value, or a mapping of names to values without `kind`. The "
                    "first is the default; `--sampler NAME` picks another.",
                    "- Unknown keys are errors, at every depth. A name that papers or other code "
                    "use for a key or a value is an error too, and its hint is the name here.",
                    "- YAML 1.2: `1e-4` is a number, `no` and `80_000` are strings. No tags, merge "
                    "keys or duplicate keys.",
                    "- `xlm_spec: 1` is the version of the language; `name` is the package's: "
                    "words of small letters and digits, joined by `_`.",
                ]
            ),
            "The JSON Schema of all this is `xlm_spec/spec.schema.json` (`xlm-spec schema`); an "
            "editor that reads the first line of the spec above completes and checks while you "
            "write.",
        ]
    )


PLACES: dict[str, tuple[Axis, ...]] = {
    "xlm_spec": (),
    "name": (),
    "title": (),
    "paper": (),
    "noise": NOISE,
    "target": (TARGET,),
    "loss": (LOSS, WEIGHT),
    "sampler": (SAMPLER, *INSIDE),
    "backbone": (BACKBONE,),
    "data": (),
    "train": (),
}
FORMS = {
    "xlm_spec": "`1`",
    "name": "a name",
    "title": "text",
    "paper": "text",
    "noise": "a mapping; each axis one value",
    "target": "one or a list",
    "loss": "one or a list, each with a `weight`",
    "sampler": "one value, or names to values",
    "backbone": "one value",
    "data": "[settings](settings.md#data)",
    "train": "[settings](settings.md#train)",
}


def settings_page() -> str:
    """`data.*` and `train.*`."""
    run = settings()
    parts = [
        "# Settings of a run",
        "What a spec may say under `data` and `train`, and `--set data.KEY=VALUE` or "
        "`--set train.KEY=VALUE` on the command line. Who wins: `--set`, then `--config`, then "
        "what `--size` gives, then the spec, then the task's defaults, then these.",
    ]
    for name, fields in run.fields.items():
        words = also_known_as(run.classes[name]).get("", {})
        told = without_synonyms(run.classes[name]) + also(words)
        parts += [f"## {name.lower()}", prose(told), parameters(fields)]
    return page([*parts, source("xlm_spec/runtime/settings.py")])


def tasks_page() -> str:
    """What each task's file says of it."""
    parts = [
        "# Tasks",
        "`--task NAME`, or `data: {task: NAME}` in a spec. A task brings its data, words and "
        "metrics, and names sizes (`--size cpu`) that learn it; it knows nothing of methods.",
    ]
    for name, options in tasks().items():
        path, text = task_file(name)
        parts += [f"## {name}", prose(docstring(text)), *family(text)]
        parts += ["Its options, `--set data.KEY=VALUE`:", parameters(options)] if options else []
        parts += [source(path)]
    return page(parts)


def task_file(name: str) -> tuple[str, str]:
    path = f"xlm_spec/runtime/tasks/{name}.py"
    return path, (HERE.parent / path).read_text(encoding="utf-8")


def docstring(text: str) -> str:
    return ast.get_docstring(ast.parse(text)) or ""


def family(text: str) -> list[str]:
    """What the file says of itself that defines the class of a task."""
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
    """The names that other code uses."""
    listed = ", ".join(f"`{w}`" for w in words)
    return f" Also known as {listed}." if listed else ""


def wire(name: str) -> str:
    """A wire, linked to the axis that makes it."""
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
    """The real file, folded."""
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
