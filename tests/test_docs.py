"""The site: built without a warning, whole, and off the network; the reference is derived."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import regen
from making import INSERTED, MASKED, PLAIN, ROOT, checked
from showing import blocks

from xlm_spec.compiler.axes import AXES, cards, settings, tasks
from xlm_spec.compiler.shown import reference
from xlm_spec.compiler.shown.cards import card, text
from xlm_spec.compiler.shown.reference import in_a_spec
from xlm_spec.diagnostics import Failed

DOCS = ROOT / "docs"
FOLDERS = ("specs", "templates", "tests", "xlm_spec", "generated")


class Links(HTMLParser):
    """What a page links to, what it loads, and the places that it has."""

    def __init__(self, page: str):
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = {k: v or "" for k, v in attrs}
        self.places |= {given[k] for k in ("id", "name") if k in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        self.loads += [given[k] for k in ("src", "srcset", "data") if k in given and tag != "a"]
        if tag == "link" and given.get("rel") not in (
            "index",
            "search",
            "next",
            "prev",
            "canonical",
        ):
            self.loads.append(given["href"])
        self.loads += re.findall(r"url\(['\"]?([^'\")]+)", given.get("style", ""))


def problems(site: Path) -> list[str]:
    """Links that lead nowhere, and what is loaded from elsewhere."""
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


def test_the_site_is_whole_and_loads_nothing_from_elsewhere(site):
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


def test_control_a_sheet_with_a_font_from_elsewhere(tmp_path):
    (tmp_path / "x.css").write_text("@font-face { src: url('https://example.org/font.woff2') }")
    assert problems(tmp_path) == ["x.css loads https://example.org/font.woff2"]


def test_the_reference_is_fresh_and_holds_nothing_else():
    there = {p.name: p.read_text(encoding="utf-8") for p in (DOCS / "reference").iterdir()}
    made = regen.reference()
    assert set(there) == set(made)
    for name, page in made.items():
        assert there[name] == page, f"docs/reference/{name} is stale: make regen"


CARDS = [card(a, c) for a in AXES for c in cards(a).values()]


@pytest.mark.parametrize("c", CARDS, ids=lambda c: c.path)
def test_a_card_stands_in_a_spec_as_it_says(c):
    """The line that it shows, in a spec of a kind that it fits into."""
    section, _, value = in_a_spec(c).partition(": ")
    told = []
    for base in (MASKED, PLAIN, INSERTED):
        for line in (value, *beside_others(base, section, value)):
            try:
                checked(spec_of(base, section, line))
                return
            except Failed as e:
                told += [d.message for d in e.diagnostics]
    raise AssertionError(told)


def beside_others(base, section, value):
    """In a list of two: the value in the place of one of them."""
    found = base.get(section, "")
    if section not in ("target", "loss") or ", " not in found:
        return []
    return [f"[{value.strip('[]')}, {other}]" for other in found.strip("[]").split(", ")]


def spec_of(base, section, value):
    parts = {"xlm_spec": "1", "name": "method", "backbone": "rotary"} | base | {section: value}
    return "".join(f"{k}: {v}\n" for k, v in parts.items())


@pytest.mark.parametrize("c", CARDS, ids=lambda c: c.path)
def test_the_page_and_the_terminal_tell_the_same(c):
    page, shown = (DOCS / "reference" / f"{c.axis.folder}.md").read_text(), text(c)
    for word in (c.value, *c.synonyms, *(p.name for p in c.parameters), *c.needs):
        assert f"`{word}`" in page
        assert word in shown
    assert c.equation in page
    assert c.equation in shown


def test_every_parameter_has_a_meaning():
    """On the pages and in the schema: a comment that the formatter moved is read by neither."""
    told = [p for c in CARDS for p in c.parameters]
    told += [p for fields in settings().fields.values() for p in fields]
    told += [p for options in tasks().values() for p in options]
    assert [p.name for p in told if not p.meaning] == []


def test_every_axis_and_section_is_on_the_page_of_the_language():
    page = (DOCS / "reference" / "language.md").read_text()
    assert all(f"[`{a.path}`]" in page for a in AXES)
    placed = [a for axes in reference.PLACES.values() for a in axes]
    assert sorted(placed, key=AXES.index) == list(AXES)
    assert set(reference.PLACES) == set(reference.FORMS) == set(reference.schema()["properties"])


def test_the_pages_name_only_files_that_exist():
    """Paths in backticks that begin with a folder of the repository."""
    for page in (*DOCS.glob("*.md"), *(DOCS / "guides").glob("*.md")):
        text = page.read_text()
        new = set(re.findall(r"(?:[Ww]rite|Begin) `([^`]+)`", text))
        found = set(re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./]+)`", text))
        assert [p for p in found - new if not (ROOT / p).exists()] == [], page.name


def test_the_index_shows_what_is_generated():
    page = (DOCS / "index.md").read_text()
    generated = (ROOT / "generated" / "mdlm" / "mdlm" / "objective.py").read_text()
    lines = re.findall(r"│ (\w+ = .*?|return .*?) +│$", blocks(page, "text")[0], re.M)
    assert len(lines) == 7
    assert all(line.split("...")[0].rstrip() in generated for line in lines)
