"""Detokenisers: the text that a corpus of separated words and marks was made from, about.

Each is a list of replacements, applied in order. They give the same text as the functions that the
literature uses, so that figures compare: of WikiText as Megatron-LM and the lm-evaluation-harness,
of LM1B as D3PM, SEDD and MDLM.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

Name = Literal["none", "wikitext", "lm1b"]
Rule = tuple[re.Pattern[str], str]


def marks(characters: str) -> list[Rule]:
    """A mark between two spaces stands directly after its word."""
    return [(re.compile(rf" {re.escape(c)} "), f"{c} ") for c in characters]


def rules(*pairs: tuple[str, str]) -> list[Rule]:
    return [(re.compile(pattern), new) for pattern, new in pairs]


WIKITEXT = [
    *rules((r"s '", "s'"), (r"/' [0-9]/", "/'[0-9]/")),
    *rules((r" @-@ ", "-"), (r" @,@ ", ","), (r" @\.@ ", ".")),
    *marks(":;.!?,"),
    *rules((r"\(\s*([^\)]*?)\s*\)", r"(\1)"), (r"\[\s*([^\]]*?)\s*\]", r"[\1]")),
    *rules((r"{\s*([^}]*?)\s*}", r"{\1}"), (r"\"\s*([^\"]*?)\s*\"", r'"\1"')),
    *rules((r"'\s*([^']*?)\s*'", r"'\1'"), (r"= = = =", "===="), (r"= = =", "==="), (r"= =", "==")),
    *rules((" \N{DEGREE SIGN} ", "\N{DEGREE SIGN}"), (r" \n", "\n"), (r"\n ", "\n")),
    *rules((r" N ", " 1 "), (r" 's", "'s")),
]
LM1B = [
    *rules((r"(https?) : / / ", r"\1://"), (r" '(\w+)", r"'\1")),
    *rules((r" (\w+) \. ", r" \1. "), (r" (\w+) \.$", r" \1.")),
    *marks("?"),
    *rules((r" \?$", "?")),
    *marks("!"),
    *rules((r" !$", "!")),
    *marks(",:;"),
    *rules((r" / ", "/"), (r"\" ([^\"]+) \"", r'"\1"'), (r"' ([^']+) '", r"'\1'")),
    *rules((r"\( ([^()]+) \)", r"(\1)"), (r"\[ ([^\[\]]+) \]", r"[\1]")),
    *rules((r"\$ ", "$"), (r"£ ", "£")),
]


def detokenized(rules: Sequence[Rule], text: str) -> str:
    for pattern, new in rules:
        text = pattern.sub(new, text)
    return text


DETOKENIZERS: dict[str, Callable[[str], str]] = {
    "none": partial(detokenized, ()),
    "wikitext": partial(detokenized, WIKITEXT),
    "lm1b": partial(detokenized, LM1B),
}
