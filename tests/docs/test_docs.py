"""The documentation builds without warnings and works offline; the reference is up to date."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import regen
from code_blocks import blocks
from html_links import Links
from methods import (
    CLOCKED,
    EDITED,
    FLEXMDM,
    GROWN,
    INSERTED,
    MASKED,
    MIXED,
    PLAIN,
    REPLACED,
    ROOT,
    ROUNDS,
    SHARED,
    STEPPED,
    WHOLE,
    checked,
)

from xlm_spec.compiler.axes import AXES, components_of
from xlm_spec.compiler.docs import reference
from xlm_spec.compiler.docs.cards import card, text
from xlm_spec.compiler.docs.reference import in_a_spec
from xlm_spec.compiler.runtime_settings import settings, tasks
from xlm_spec.diagnostics import Failed

DOCS = ROOT / "docs"
FOLDERS = ("specs", "templates", "tests", "xlm_spec", "generated", "benchmarks", "docs", "tools")
MODULES = [p.relative_to(ROOT).as_posix() for f in FOLDERS for p in (ROOT / f).rglob("*.py")]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *(p for p in DOCS.rglob("*.md") if "_build" not in p.parts),
    *(ROOT / "xlm_spec" / "pages").glob("*.md"),
]


def problems(site: Path) -> list[str]:
    """Broken links, and files that are loaded from the network."""
    pages = {p: Links(p.read_text(encoding="utf-8")) for p in site.rglob("*.html")}
    found = []
    for page, links in pages.items():
        found += [f"{page.name} loads {url}" for url in links.loads if outside(url)]
        for url in (*links.links, *links.loads):
            parts = urlsplit(url)
            if outside(url) or parts.scheme:
                continue
            aim = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not aim.is_file():
                found.append(f"{page.name}: no file {url}")
            elif parts.fragment and unquote(parts.fragment) not in pages[aim].places:
                found.append(f"{page.name}: no place {url}")
    for sheet in (*site.rglob("*.css"), *site.rglob("*.js")):
        for url in re.findall(r"(?:url\(|@import )\s*['\"]?([^'\")]+)", sheet.read_text()):
            found += [f"{sheet.name} loads {url}"] if outside(url) else []
    return found


def outside(url: str) -> bool:
    return url.startswith("//") or urlsplit(url).scheme in ("http", "https", "ftp", "ws", "wss")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    into = tmp_path_factory.mktemp("site")
    command = ["-m", "sphinx", "-q", "-n", "-W", "--keep-going", DOCS, into]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return into


@pytest.mark.slow
def test_the_documentation_has_no_broken_link_and_works_offline(site):
    assert (site / "index.html").exists()
    assert problems(site) == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('<a href="nowhere.html">', "no file nowhere.html"),
        ('<a href="#nowhere">', "no place #nowhere"),
        ('<img src="https://example.org/x.png">', "loads https://example.org/x.png"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "loads //example.org/x.css"),
        ('<p style="background: url(http://example.org/x)">', "loads http://example.org/x"),
    ],
)
def test_control_a_page_with_a_fault(more, told, tmp_path):
    (tmp_path / "page.html").write_text(f"<p id='here'><a href='#here'>{more}")
    [found] = problems(tmp_path)
    assert told in found


def test_control_a_style_sheet_with_a_font_from_the_network(tmp_path):
    (tmp_path / "x.css").write_text("@font-face { src: url('https://example.org/font.woff2') }")
    assert problems(tmp_path) == ["x.css loads https://example.org/font.woff2"]


def test_the_reference_is_up_to_date():
    there = {p.name: p.read_text(encoding="utf-8") for p in (DOCS / "reference").iterdir()}
    made = regen.reference()
    assert set(there) == {*made, *regen.WRITTEN}
    for name, page in made.items():
        assert there[name] == page, f"docs/reference/{name} is stale: make regen"


def test_the_table_of_declarations_in_contributing_is_fresh():
    text = regen.CONTRIBUTING.read_text(encoding="utf-8")
    assert regen.declarations_table() in text
    assert regen.contributing() == text


BASES = (
    *(MASKED, PLAIN, INSERTED, REPLACED, MIXED, FLEXMDM, GROWN, EDITED, SHARED, STEPPED),
    *(CLOCKED, ROUNDS, WHOLE),
)
CARDS = [card(a, c) for a in AXES for c in components_of(a).values()]


@pytest.mark.parametrize("c", CARDS, ids=lambda c: c.path)
def test_the_line_of_a_card_is_valid_in_a_spec(c):
    """In one of the specs that the component fits into."""
    section, _, value = in_a_spec(c).partition(": ")
    told = []
    for base in BASES:
        for line in (value, *beside_others(base, section, value)):
            try:
                checked(spec_of(base, section, line))
                return
            except Failed as e:
                told += [d.message for d in e.diagnostics]
    raise AssertionError(told)


def beside_others(base, section, value):
    """For a list of several: the value in place of one of them. All roll-ins of a spec with it."""
    found = base.get(section, "")
    if section == "noise" and "roll_in" in value:
        return [found] if value.partition("[")[2].strip("]}") in found else []
    if section not in ("target", "loss") or ", " not in found:
        return []
    each = found.strip("[]").split(", ")
    lists = ([*each[:i], value.strip("[]"), *each[i + 1 :]] for i in range(len(each)))
    return [f"[{', '.join(entries)}]" for entries in lists]


def spec_of(base, section, value):
    parts = {"xlm_spec": "1", "name": "method", "backbone": "rotary"} | base | {section: value}
    return "".join(f"{k}: {v}\n" for k, v in parts.items())


@pytest.mark.parametrize("c", CARDS, ids=lambda c: c.path)
def test_the_page_and_the_terminal_show_the_same(c):
    page, shown = (DOCS / "reference" / f"{c.axis.folder}.md").read_text(), text(c)
    for word in (c.value, *c.synonyms, *(p.name for p in c.parameters), *c.requires):
        assert f"`{word}`" in page
        assert word in shown
    assert c.equation in page
    assert c.equation in shown


def test_every_parameter_has_a_meaning():
    """Neither the pages nor the schema find a comment that the formatter moved."""
    told = [p for c in CARDS for p in c.parameters]
    told += [p for fields in settings().fields.values() for p in fields]
    told += [p for options in tasks().values() for p in options]
    assert [p.name for p in told if not p.meaning] == []


def test_every_axis_and_section_is_on_the_page_of_the_language():
    page = (DOCS / "reference" / "language.md").read_text()
    assert all(f"[`{a.path}`]" in page for a in AXES)
    assert set(reference.FORMS) == set(reference.schema()["properties"])


def missing(page: str) -> list[str]:
    """Paths on a page (in backticks, into a folder of the repository) that lead to no file.

    A page may name files that its own code writes.
    """
    code = "".join(re.findall(r"^```.*?^```$", page, re.M | re.S))
    prose = re.sub(r"^```.*?^```$", "", page, flags=re.M | re.S)
    written = re.findall(r"(?:[Ww]rite|Begin)\s`([^`]+)`:", prose)
    named = set(
        re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*|(?!out/)[\w/-]+\.py)(?:::\w+)?`", prose)
    )
    return sorted(n for n in named if not (n in written or n in code or exists(n)))


def exists(path: str) -> bool:
    """A path from the root; or a module, by the end of its path."""
    return (ROOT / path).exists() or any(f.endswith(f"/{path}") for f in MODULES)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_page_names_only_files_that_exist(page):
    assert missing(page.read_text(encoding="utf-8")) == []


def test_control_names_of_files_that_do_not_exist():
    page = "Write `a.py`:\n\n```python\n```\n\n`a.py`, `tests/laws`, `build.py`, `b.py`, `tests/b/`"
    assert missing(page) == ["b.py", "tests/b/"]


def test_the_index_shows_what_is_generated():
    page = (DOCS / "index.md").read_text()
    generated = (ROOT / "generated" / "mdlm" / "mdlm" / "objective.py").read_text()
    lines = re.findall(r"│ (\w+ = .*?|return .*?) +│$", blocks(page, "text")[0], re.M)
    assert len(lines) == 7
    assert all(line.split("...")[0].rstrip() in generated for line in lines)
