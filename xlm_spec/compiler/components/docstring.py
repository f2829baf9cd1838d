"""The docstring of a component: its synonyms, differences to other code, and paper."""

import re

KNOWN_AS = re.compile(r"\n*^Also known as:(.*(?:\n    .+)*)", re.M)
SYNONYM = re.compile(r"([^\s,(]+)(?:\s\((.+?)\))?")
DIFFERS = re.compile(r"\n*^Differs:((?:\n    .+)+)", re.M)
PAPER = re.compile(r"^Paper: (.+)$", re.M)

Words = dict[str, dict[str, str]]


def also_known_as(doc: str) -> Words:
    """The words of papers and other code for a value ("") and for its parameters.

    `Also known as: poly, square (power: 2)`, then indented lines such as `power: exponent, degree`.
    """
    found = KNOWN_AS.search(doc)
    out: Words = {}
    name = ""
    for line in found[1].splitlines() if found else ():
        stated = re.match(r"    (\w+): ", line)
        name = stated[1] if stated else name
        words = SYNONYM.findall(line[stated.end() :] if stated else line)
        out.setdefault(name, {}).update(words)
    return out


def differences(doc: str) -> dict[str, str]:
    """The words that mean something else in other code, each with the difference.

    `Differs:`, then indented lines such as `quadratic, cubic: (1 - t)^n is not available; ...`. A
    line that is indented twice continues the line above.
    """
    found = DIFFERS.search(doc)
    out: dict[str, str] = {}
    for entry in re.split(r"\n    (?! )", found[1])[1:] if found else ():
        words, _, note = " ".join(entry.split()).partition(": ")
        out |= dict.fromkeys(words.split(", "), note)
    return out


def without_synonyms(doc: str) -> str:
    """A docstring without its synonyms."""
    return KNOWN_AS.sub("", doc)


def paper(doc: str) -> str:
    """The paper that a docstring names; "" if there is none."""
    found = PAPER.search(doc)
    return found[1] if found else ""
