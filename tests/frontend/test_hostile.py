"""A spec is data: none of its texts becomes code, markup, a template or a path of what is built.

Each hostile text stands in each place of a spec, quoted and as it is. Either that is refused, or
the package differs from a harmless one's in nothing but that text.
"""

import ast
import json
import re
import tomllib

import pytest
import yaml
from markdown_it import MarkdownIt
from methods import MASKED, text

from xlm_spec.compiler.build import build
from xlm_spec.compiler.emit import layout, lower, render
from xlm_spec.compiler.emit.state import STATE
from xlm_spec.compiler.frontend.load import parse
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.check import check
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.compiler.middle.spec import Spec
from xlm_spec.compiler.runtime_settings import settings, tasks
from xlm_spec.diagnostics import Failed, hidden
from xlm_spec.refresh.disk import digest

pytestmark = pytest.mark.slow

BENIGN = "harmless"
HOSTILE = [
    # Python
    "'",
    '"',
    '"""',
    "'''",
    'x"""\nimport os  # """',
    'x"; import os; "',
    "\\",
    "x\\",
    '\\"',
    '\\"""',
    "\\N{BULLET}",
    "\\N{no such character}",
    "\\x41\\u0041\\101",
    "\\ud800",
    "__import__('os').system('false')",
    "{__import__('os')}",
    "%s %(name)s {0} {name}",
    "# type: ignore",
    # templates
    "{{ 7 * 7 }}",
    "{{ plan.name }}{{ self.__init__.__globals__ }}",
    "{% raw %}",
    "{% endraw %}{{ 1 }}",
    "{% include 'copier.yml' %}",
    "{# gone #}",
    "{%- yield x from plan.modules -%}x{%- endyield -%}",
    "${HOME} $(false) `false`",
    # paths
    "../../escaped",
    "/etc/escaped.py",
    "./..",
    "a/../../b.py",
    "C:\\escaped",
    "~/escaped",
    "file:///escaped",
    "x\0.py",
    # TOML, YAML, JSON
    '"""\n[project.scripts]\nx = "os:system"',
    "'''\n[tool]",
    "a: b",
    "a # b",
    "&a",
    "*a",
    "!!python/object/apply:os.system [false]",
    "- a",
    "? a",
    "| a",
    "> a",
    "%YAML 1.1",
    "---\na: 1",
    "...",
    "no",
    "null",
    "1e400",
    "0x10",
    "[1, 2",
    "{a: 1}",
    "a\n\n  b: c",
    '{"$ref": "file:///escaped"}',
    # Markdown and HTML
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- ",
    "&lt;b&gt; &#60;",
    "[x](javascript:alert(1))",
    "![x](http://x/x.png)",
    "<javascript:alert(1)>",
    "<https://x.example>",
    "https://x.example/_a_/*b*)<b>",
    "https://x.example/_a_?b=*c*",
    "[x]: /escaped",
    "[^1]",
    "# heading",
    "heading #",
    "====",
    "----",
    "***",
    "- item",
    "+ item",
    "1. item",
    "12) item",
    "> quote",
    "```sh\nfalse\n```",
    "~~~ x",
    "    code",
    "`code` *a* _b_ **c** ~~d~~ $e$",
    "| a | b |\n|---|---|",
    "line  \nbreak\\\n",
    # characters
    "",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\x00",
    "\x07\x1b[31mred\x1b[0m",
    "\x7f\x85",
    "a\u2028import os\u2029",
    "\u202egnp.exe\u202c",
    "\u2066x\u2069\u200f\u061c",
    "a\u200bb\ufeff\u2060",
    "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc",  # Persian, with a joiner: harmless
    "\U0001f469\u200d\U0001f52c \U0001d6fc e\u0301",
    "\ufffe\uffff",
    "\udc80",
    "\U000e0041\xad",
    "\ue000\ufffd",
    # sizes
    "x" * 4_000,
    "x y " * 1_000,
    "[" * 4_000,
    "x" * 1_000_000,
]


def options() -> list[str]:
    """The settings that hold any text."""
    known = [p for of in (tasks()["text"], *settings().fields.values()) for p in of]
    return sorted({p.name for p in known if p.type == "str" and not p.choices} - {"task"})


FREE = ["title", "paper", "options", "file of a task", "comment", "last comment"]
NAMES = ["name", "sampler name"]
WORDS = ["task", "key", "value", "number", "precision", "anchor", "tag"]
PLACES = {
    "quoted": [*FREE, *NAMES, *WORDS],
    "as it is": ["title", "options", *NAMES, "key", "value"],
    "block": ["name"],
}
NAME = re.compile("[a-z0-9_]{1,60}")


def spec(places: dict[str, str]) -> bytes:
    """A spec with YAML in the places that are named."""
    given = {"title": BENIGN, "paper": BENIGN, "options": BENIGN} | places
    task = given.get("file of a task", given.get("task", "text"))
    data = {"task": task} | dict.fromkeys(options(), given["options"])
    changes = {
        "title": given["title"],
        "paper": given["paper"],
        "sampler": f"{{{given.get('sampler name', 'plain')}: {{kind: ancestral, steps: 8}}}}",
        "data": f"{{{', '.join(f'{k}: {v}' for k, v in data.items())}}}",
        "train": f"{{precision: {given.get('precision', '32-true')}}}",
        "backbone": f"{{kind: {given.get('value', 'rotary')}, layers: {given.get('number', '2')}}}",
    }
    changes |= {"title": f"&{given['anchor']} x"} if "anchor" in given else {}
    changes |= {"title": f"!{given['tag']} x"} if "tag" in given else {}
    changes |= {given["key"]: "1"} if "key" in given else {}
    made = text(MASKED, given.get("name", "method"), **changes)
    made = f"# {given.get('comment', BENIGN)}\n{made}# {given.get('last comment', BENIGN)}"
    return made.encode("utf-8", "surrogatepass")


def quoted(value: str) -> str:
    """A text as YAML, what can't be typed escaped."""
    if not value or max(value) <= "\uffff":
        return json.dumps(value)
    return '"' + "".join(c if c > "\uffff" else json.dumps(c)[1:-1] for c in value) + '"'


def block(value: str) -> str:
    return "|\n" + "\n".join(f"  {line}" for line in value.split("\n"))


def checked(raw: bytes) -> Spec:
    """A spec that passes. Raises Failed."""
    found = validate(parse(raw, "spec.yaml"))
    check(compose(found))
    return found


WRITTEN = {"quoted": quoted, "as it is": str, "block": block}


def skeleton(source: bytes) -> str:
    """A syntax tree without its texts."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def outline(source: bytes) -> tuple[list, list[str]]:
    """The tokens of a README but for its head, and the texts of that: title, paper if any."""
    reader = MarkdownIt().enable(["table", "strikethrough"])
    reader.validateLink = lambda url: True  # a careless one, that takes any link
    tokens = reader.parse(source.decode())
    end = next(i for i, t in enumerate(tokens) if t.content.startswith("xlm-spec compiled"))
    head = [t for t in tokens[:end] if t.type == "inline"]
    for t in head:
        kinds = [c.type for c in t.children]
        links = [c.attrs["href"] for c in t.children if c.type == "link_open"]
        assert kinds in ([], ["text"], ["link_open", "text", "link_close"]), kinds
        assert all(h == t.children[1].content and h.startswith("https://") for h in links), links
    shape = [(t.type, t.tag) for t in tokens[:end]] + [
        (t.type, t.tag, t.content) for t in tokens[end:]
    ]
    return shape, ["".join(c.content for c in t.children) for t in head]


PLAIN = render.render(lower.lower(compose(checked(spec({})))))


def is_data(raw: bytes) -> None:
    """The package is the harmless one but for texts, which are the spec's."""
    found = checked(raw)
    files, values = render.render(lower.lower(compose(found))), found.document.values
    title = " ".join(values["title"].split()) or values["name"]
    paper = " ".join(values["paper"].split())
    assert set(files) == set(PLAIN)
    for path, source in files.items():
        if path.endswith(".py") and source != PLAIN[path]:
            assert skeleton(source) == skeleton(PLAIN[path]), path
    assert ast.get_docstring(ast.parse(files["method/__init__.py"]), clean=False) == f"{title}."
    data = next(n for n in ast.parse(files["method/__main__.py"]).body if isinstance(n, ast.Assign))
    assert {k: v for k, v in ast.literal_eval(data.value).items() if k != "fill"} == values["data"]
    project = tomllib.loads(files["pyproject.toml"].decode())
    assert project["project"].pop("description") == title
    harmless = tomllib.loads(PLAIN["pyproject.toml"].decode())
    del harmless["project"]["description"]
    assert project == harmless
    shape, head = outline(files["README.md"])
    assert head == [title, paper][: 1 + bool(paper)]
    plain = outline(PLAIN["README.md"])[0]
    assert shape == plain if paper else shape[:3] + shape[4:] == plain[:3] + plain[7:]
    answers = yaml.load(files[".copier-answers.yml"], yaml.CSafeLoader)
    assert answers == json.loads(files[".copier-answers.yml"].partition(b"\n")[2])
    assert (answers["ir"]["title"], answers["ir"]["paper"]) == (title, paper)
    lock = json.loads(files[".xlm/lock.json"])
    assert lock["files"] == {p: digest(files[p]) for p in files.keys() - {*STATE}}
    assert files["spec.yaml"] == raw.replace(b"\r\n", b"\n")


def is_clean(failed: Failed, raw: bytes) -> None:
    """Diagnostics with a place, short, of one sentence, which hide nothing."""
    for d in failed.diagnostics:
        assert d.span or len(raw) > 1 << 16, d
        assert len(d.text()) < 1_500
        assert not any(hidden(c) for c in d.text())
        assert "\n" not in d.message + d.hint


@pytest.mark.parametrize("value", HOSTILE, ids=lambda v: ascii(v[:20]))
@pytest.mark.parametrize("form", PLACES)
def test_it_is_refused_or_data(value, form):
    accepted = {}
    for place in PLACES[form]:
        written = WRITTEN[form](f"./{value}.py" if place == "file of a task" else value)
        raw = spec({place: written})
        try:
            found = checked(raw)
        except Failed as failed:
            is_clean(failed, raw)
            continue
        accepted[place] = written
        if place in NAMES:
            assert all(NAME.fullmatch(n) for n in [found.name, *(s.name for s in found.samplers)])
        elif place in WORDS:
            is_data(raw)
    free = {k: v for k, v in accepted.items() if k in FREE}
    if free:
        is_data(spec(free))


@pytest.mark.parametrize("value", ["../escaped", "/tmp/escaped", "a/b", "a\\n", "a.b", "..", ""])
def test_nothing_is_written_outside_of_the_folder(value, tmp_path):
    file = tmp_path / "specs" / "spec.yaml"
    file.parent.mkdir()
    harmful = quoted(value)
    for place in NAMES:
        file.write_bytes(spec({place: harmful}))
        with pytest.raises(Failed):
            build(file, tmp_path / "a" / "generated")
    assert list(tmp_path.rglob("*")) == [file.parent, file]
    file.write_bytes(spec({"title": harmful, "paper": harmful, "options": harmful}))
    folder = build(file, tmp_path / "generated").folder
    made = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert made == {*PLAIN, ".xlm/origin"}  # options of data may be paths beside the spec
    assert {p.name for p in tmp_path.rglob("*")} >= {"specs", "generated", "method"}
    assert {p.name for p in tmp_path.iterdir()} == {"specs", "generated"}
    assert {p.name for p in (tmp_path / "generated").iterdir()} == {"method"}


def told(raw: bytes) -> list[str]:
    with pytest.raises(Failed) as failed:
        checked(raw)
    return [d.text() for d in failed.value.diagnostics]


def test_a_character_that_hides_is_named_with_its_place():
    assert told(b"xlm_spec: 1\nname: a  # \xe2\x80\xae b\n") == [
        "error[X101]: control character U+202E (right-to-left override)\n"
        " --> spec.yaml:2:12\n  |\n2 | name: a  # \ufffd b\n  |            ^\n"
        "  = help: remove it: it is invisible, or changes how the text is displayed"
    ]
    [escaped] = told(b'xlm_spec: 1\nname: a\ntitle: "x\\u2066"\n')
    assert "U+2066 (left-to-right isolate)\n --> spec.yaml:3:8" in escaped


def test_a_long_line_is_shown_in_part():
    [long] = told(b"title: " + b"x" * 5000 + b" \x07 y\n")
    assert "spec.yaml:1:5009" in long
    line, carets = [part.partition("| ")[2] for part in long.splitlines()[3:5]]
    assert carets == " " * line.index("\ufffd") + "^"


@pytest.mark.parametrize(
    ("module", "name", "broken", "value"),
    [
        (layout, "inert", str, "<img src=x>"),
        (layout, "inert", str, "[x](javascript:alert(1))"),
        (lower, "quoted", lambda v: f'"{v}"', '", "task": print("x'),
        (layout, "inert", lambda t: t.replace("a", "b"), "a"),
    ],
)
def test_control_a_text_that_is_not_escaped_is_found(module, name, broken, value, monkeypatch):
    raw = spec(dict.fromkeys(["title", "paper", "options"], quoted(value)))
    is_data(raw)
    monkeypatch.setattr(module, name, broken)
    with pytest.raises((AssertionError, SyntaxError)):
        is_data(raw)


def test_a_byte_that_is_no_text_has_a_place():
    for mark in (b"", b"\xef\xbb\xbf"):
        [bad] = told(mark + "name: é\ntitle: ".encode() + b"\xff\n")
        assert bad.startswith("error[X101]: the spec is not UTF-8\n --> spec.yaml:2:8\n")
