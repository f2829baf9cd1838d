"""Tokenizers: texts of known words between spaces, characters, subwords of a tokenizer.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives

SPECIAL = ("pad", "bos", "eos", "mask")
SHOWN = {"mask": "_", "eos": ".", "pad": "", "bos": ""}  # in a picture of a state
LINE_END = "⏎"


class Tokenizer:
    """Text <-> ids 0 .. size - 1; special tokens get the ids behind them."""

    joint = ""  # between the tokens of a text
    size: int

    def vocabulary(self, needs: tuple[str, ...]) -> dict[str, int]:
        """Size and special ids for a method that needs these tokens besides BOS and padding."""
        special = [s for s in SPECIAL if s in ("pad", "bos", *needs)]
        ids = {s: self.size + i for i, s in enumerate(special)}
        return {"size": self.size + len(special)} | ids

    def encode(self, text: str) -> list[int]:
        """Raises Failed (X502) at what is not of this vocabulary."""
        raise NotImplementedError

    def decode(self, ids: list[int]) -> str:
        """The text; special tokens are left out."""
        raise NotImplementedError

    def symbol(self, token: int) -> str:
        """A token of its own for a picture."""
        return self.decode([token])

    def pattern(self, text: str) -> list[int | None]:
        """A text with blanks: its ids, and None for each underscore."""
        first, *others = (self.encode(part) for part in text.split("_"))
        return [*first, *(i for part in others for i in (None, *part))]

    def show(self, token: int, vocabulary: Mapping[str, int]) -> str:
        """One token for a picture of a state."""
        if token < self.size:
            return self.symbol(token)
        return next((SHOWN[s] for s in SPECIAL if vocabulary.get(s) == token), "?")

    @property
    def widest(self) -> int:
        """Characters that a token takes in a picture."""
        return 1

    @property
    def state(self) -> dict[str, str]:
        """What a checkpoint keeps of it, to be told apart from others or made again."""
        raise NotImplementedError


@dataclass(frozen=True)
class Words(Tokenizer):
    """Ids are places in `words`. A blank is a word of underscores."""

    words: tuple[str, ...]

    joint = " "

    @property
    def size(self) -> int:  # type: ignore[override]
        return len(self.words)

    @cached_property
    def ids(self) -> dict[str, int]:
        return {w: i for i, w in enumerate(self.words)}

    @property
    def state(self) -> dict[str, str]:
        return {"words": " ".join(self.words)}

    def encode(self, text: str) -> list[int]:
        for word in text.split():
            if word not in self.ids:
                told = f"the text holds `{word}`, which is no word of this task"
                raise Failed(Diagnostic("X502", told, alternatives(word, self.words)))
        return [self.ids[w] for w in text.split()]

    def decode(self, ids: list[int]) -> str:
        return " ".join(self.words[i] for i in ids if i < self.size)

    def pattern(self, text: str) -> list[int | None]:
        return [None if set(w) == {"_"} else self.encode(w)[0] for w in text.split()]

    @property
    def widest(self) -> int:
        return max(map(len, self.words))


@dataclass(frozen=True)
class Characters(Tokenizer):
    """Ids are places in `alphabet`."""

    alphabet: str

    @property
    def size(self) -> int:  # type: ignore[override]
        return len(self.alphabet)

    @cached_property
    def ids(self) -> dict[str, int]:
        return {c: i for i, c in enumerate(self.alphabet)}

    def encode(self, text: str) -> list[int]:
        strangers = sorted(set(text) - set(self.ids))
        if strangers:
            more = f" and {len(strangers) - 1} more" if len(strangers) > 1 else ""
            told = f"the text holds {strangers[0]!r}{more}, which the data of training lack"
            hint = f"the {self.size} characters that are known begin {self.alphabet[:40]!r}"
            raise Failed(Diagnostic("X502", told, hint))
        return [self.ids[c] for c in text]

    def decode(self, ids: list[int]) -> str:
        return "".join(self.alphabet[i] for i in ids if i < self.size)

    def symbol(self, token: int) -> str:
        shown = self.alphabet[token]
        return LINE_END if shown == "\n" else shown if shown.isprintable() else "\ufffd"

    @property
    def state(self) -> dict[str, str]:
        return {"alphabet": self.alphabet}


@dataclass(frozen=True)
class Subwords(Tokenizer):
    """The tokenizer that a tokenizer.json of Hugging Face describes; no special token is added."""

    description: str  # the text of the file

    @cached_property
    def tokenizer(self) -> Any:
        """Raises Failed: X507 of a bad description, X508 without the library."""
        try:
            from tokenizers import Tokenizer as HuggingFace
        except ImportError:
            told = "a tokenizer.json needs the library tokenizers"
            hint = "pip install 'xlm-spec[tokenizers]'"
            raise Failed(Diagnostic("X508", told, hint)) from None
        try:
            return HuggingFace.from_str(self.description)
        except Exception as e:  # the library raises nothing narrower
            raise Failed(Diagnostic("X507", f"this is no tokenizer.json: {e}")) from None

    @property
    def size(self) -> int:  # type: ignore[override]
        return self.tokenizer.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids: list[int]) -> str:
        own = [i for i in ids if i < self.size]
        return self.tokenizer.decode(own, skip_special_tokens=False)

    def symbol(self, token: int) -> str:
        return (self.tokenizer.id_to_token(token) or "?").replace("\n", LINE_END)

    @property
    def widest(self) -> int:
        return 0

    @property
    def state(self) -> dict[str, str]:
        return {"tokenizer": self.description}


def restored(state: Mapping[str, str]) -> Tokenizer | None:
    """The tokenizer that a checkpoint keeps, if it can be made of that; words are the task's."""
    if "alphabet" in state:
        return Characters(state["alphabet"])
    return Subwords(state["tokenizer"]) if "tokenizer" in state else None
