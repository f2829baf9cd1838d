"""The page of the authors' parameters: each of theirs has an entry, and each of ours exists."""

import re

from methods import ROOT

from xlm_spec.compiler.axes import AXES
from xlm_spec.compiler.components import component, values
from xlm_spec.compiler.frontend.synonyms import language

PAGE = (ROOT / "docs" / "guides" / "decoding.md").read_text()
FOLDERS = {a.folder for a in AXES}
OURS = re.compile(r"`(\w+)\.(\w+)(?:\.(\w+))?`")
TABLES = re.findall(r"^\| parameter \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.M)
ROWS = [[c.strip() for c in x.strip("|").split(" | ")] for t in TABLES for x in t.splitlines()]


def exists(section: str, value: str, parameter: str) -> bool:
    if section in ("train", "data"):
        return value in language()[section,]
    if section not in FOLDERS or value not in values(section):
        return False
    return not parameter or parameter in {p.name for p in component(section, value).parameters}


def test_every_parameter_of_the_authors_has_one_of_ours_or_a_reason():
    assert len(TABLES) == 7
    for theirs, *_, here in ROWS:
        assert theirs.startswith("`") or "(of the model)" in theirs, theirs
        named = OURS.findall(here)
        assert named or "`generate" in here or len(here.split()) > 3, theirs
        for reason in here.split("no entry")[1:]:
            assert len(reason.split(";")[0].split()) > 2, theirs


def test_every_parameter_of_ours_exists():
    named = [found for found in OURS.findall(PAGE) if found[0] in {*FOLDERS, "train", "data"}]
    assert len(named) > 80
    assert [x for x in named if not exists(*x)] == []
    assert not exists("sampler", "drawn_confidence", "step")
    assert not exists("wrap", "guided", "")
