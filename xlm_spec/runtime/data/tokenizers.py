"""Tokenizers: space-separated words, characters, bytes, and the subwords of a tokenizer.json."""

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives, first_line
from xlm_spec.runtime.machine.extras import require

SPECIAL = ("pad", "bos", "eos", "mask")
SHOWN = {"mask": "_", "eos": ".", "pad": "", "bos": ""}  # special tokens in a displayed state
LINE_END = "⏎"
BYTES = "bytes"  # a value of `data.tokenizer`
FILE = "tokenizer.json"
HUB = re.compile(r"[\w.-]+(/[\w.-]+)?")  # an id, with or without its owner


class Tokenizer:
    """Text <-> ids 0 .. size - 1; special tokens get the ids from `size` on."""

    joint = ""  # between the tokens of a text
    size: int

    def vocabulary(self, needs: tuple[str, ...]) -> dict[str, int]:
        """Size and special ids for a method that needs these tokens besides BOS and padding."""
        special = [s for s in SPECIAL if s in ("pad", "bos", *needs)]
        ids = {s: self.size + i for i, s in enumerate(special)}
        return {"size": self.size + len(special)} | ids

    def encode(self, text: str) -> list[int]:
        """Raises Failed (X502) if a part of the text is not in the vocabulary."""
        raise NotImplementedError

    def decode(self, ids: list[int]) -> str:
        """The text without special tokens."""
        raise NotImplementedError

    def symbol(self, token: int) -> str:
        """The display of a token that is not special."""
        return self.decode([token])

    def pattern(self, text: str) -> list[int | None]:
        """The ids of a text with blanks; None for each underscore."""
        first, *others = (self.encode(part) for part in text.split("_"))
        return [*first, *(i for part in others for i in (None, *part))]

    def show(self, token: int, vocabulary: Mapping[str, int]) -> str:
        """The display of a token."""
        if token < self.size:
            return self.symbol(token)
        return next((SHOWN[s] for s in SPECIAL if vocabulary.get(s) == token), "?")

    @property
    def widest(self) -> int:
        """The width of a displayed token in characters."""
        return 1

    @property
    def state(self) -> dict[str, str]:
        """The state that a checkpoint stores, to compare or restore the tokenizer."""
        raise NotImplementedError


@dataclass(frozen=True)
class WordTokenizer(Tokenizer):
    """Ids are indices into `words`. A blank is a word of underscores that is not in `words`.

    Raises Failed (X505) for a duplicate word.
    """

    words: tuple[str, ...]

    joint = " "

    def __post_init__(self) -> None:
        seen = Counter(self.words)
        twice = next((w for w in self.words if seen[w] > 1), None)
        if twice is not None:
            message = f"duplicate word `{twice}` in `WordTokenizer`"
            raise Failed(Diagnostic("X505", message, "each word has one id: remove the second"))

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
                message = f"`{word}` is not in the vocabulary of this task"
                raise Failed(Diagnostic("X502", message, alternatives(word, self.words)))
        return [self.ids[w] for w in text.split()]

    def decode(self, ids: list[int]) -> str:
        return " ".join(self.words[i] for i in ids if i < self.size)

    def pattern(self, text: str) -> list[int | None]:
        def blank(word: str) -> bool:
            return set(word) == {"_"} and word not in self.ids

        return [None if blank(w) else self.encode(w)[0] for w in text.split()]

    @property
    def widest(self) -> int:
        return max(map(len, self.words))


@dataclass(frozen=True)
class CharacterTokenizer(Tokenizer):
    """Ids are indices into `alphabet`."""

    alphabet: str

    @property
    def size(self) -> int:  # type: ignore[override]
        return len(self.alphabet)

    @cached_property
    def ids(self) -> dict[str, int]:
        return {c: i for i, c in enumerate(self.alphabet)}

    def encode(self, text: str) -> list[int]:
        unknown = sorted(set(text) - set(self.ids))
        if unknown:
            more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
            message = f"unknown character {unknown[0]!r}{more}: not in the training data"
            hint = f"the {self.size} known characters begin with {self.alphabet[:40]!r}"
            raise Failed(Diagnostic("X502", message, hint))
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
class ByteTokenizer(Tokenizer):
    """Ids are the bytes of UTF-8: any text has tokens, without a file.

    Bytes that are no UTF-8, as of a text cut inside of a character, are surrogate escapes.
    """

    size = 256

    def encode(self, text: str) -> list[int]:
        return list(text.encode("utf-8", "surrogateescape"))

    def decode(self, ids: list[int]) -> str:
        """The text; bytes that are no UTF-8 become U+FFFD."""
        return bytes(i for i in ids if i < self.size).decode("utf-8", "replace")

    def symbol(self, token: int) -> str:
        shown = chr(token)
        return LINE_END if shown == "\n" else shown if " " <= shown <= "~" else "\ufffd"

    @property
    def state(self) -> dict[str, str]:
        return {"bytes": str(self.size)}


@dataclass(frozen=True)
class SubwordTokenizer(Tokenizer):
    """The tokenizer of a Hugging Face tokenizer.json, without its special tokens.

    Truncation, padding and merge dropout of the file are disabled, because they would change the
    text. `note` reports them, and a normalizer, which does change the text.
    """

    description: str  # content of the file

    @cached_property
    def tokenizer(self) -> Any:
        """Raises Failed: X507 for an invalid file, X508 without the library."""
        try:
            from tokenizers import Tokenizer as HuggingFace
        except ImportError:
            message = "a tokenizer.json requires the library tokenizers"
            hint = "pip install 'xlm-spec[tokenizers]'"
            raise Failed(Diagnostic("X508", message, hint)) from None
        try:
            tokenizer = HuggingFace.from_str(self.description)
        except Exception as e:  # the library raises nothing narrower
            raise Failed(Diagnostic("X507", f"not a valid tokenizer.json: {e}")) from None
        tokenizer.no_truncation()
        tokenizer.no_padding()
        if getattr(tokenizer.model, "dropout", None):
            tokenizer.model.dropout = None
        return tokenizer

    @cached_property
    def settings(self) -> dict:
        """The content of the file as a mapping."""
        return json.loads(self.description)

    @property
    def note(self) -> str:
        """The disabled settings of the file, and its normalizer; empty if there are none."""
        model, notes = self.settings.get("model") or {}, []
        off = [k for k in ("truncation", "padding") if self.settings.get(k)]
        off += ["merge dropout"] if model.get("dropout") else []
        if off:
            notes.append(f"sets {' and '.join(off)}, which xlm-spec disables")
        normalizer = self.settings.get("normalizer")
        if normalizer:
            parts = normalizer.get("normalizers") or [normalizer]
            names = ", ".join(str(p.get("type")) for p in parts)
            notes.append(f"normalizes texts ({names}): the model learns the normalized text")
        return "; it ".join(notes)

    @cached_property
    def size(self) -> int:  # type: ignore[override]
        """One above the largest id: a file may skip ids, which are then never used."""
        return 1 + max(self.tokenizer.get_vocab().values(), default=-1)

    def encode(self, text: str) -> list[int]:
        """Raises Failed (X502) if a part of the text has no token."""
        hint = "use a tokenizer that covers the text, or that has a token for unknown words"
        try:
            encoding = self.tokenizer.encode(text, add_special_tokens=False)
        except Exception as e:  # the library raises nothing narrower
            message = f"the tokenizer cannot encode the text: {first_line(e)}"
            raise Failed(Diagnostic("X502", message, hint)) from None
        lost = self.lost(text, encoding.offsets)
        if lost:
            message = f"the tokenizer has no token for {lost!r} and would drop it"
            raise Failed(Diagnostic("X502", message, hint))
        return encoding.ids

    def lost(self, text: str, offsets: list[tuple[int, int]]) -> str:
        """The first part of the text that no token covers, except white space."""
        if self.settings.get("normalizer"):  # it may drop characters; `note` reports it
            return ""
        at = 0
        for begin, end in [*sorted(offsets), (len(text), len(text))]:
            if text[at:begin].strip():
                return text[at:begin].strip()[:20]
            at = max(at, end)
        return ""

    @property
    def unknown(self) -> int | None:
        """The id of the token for unknown words, if the tokenizer has one."""
        token = (self.settings.get("model") or {}).get("unk_token")
        return self.tokenizer.token_to_id(token) if token is not None else None

    def decode(self, ids: list[int]) -> str:
        known = [i for i in ids if i < self.size]
        return self.tokenizer.decode(known, skip_special_tokens=False)

    def symbol(self, token: int) -> str:
        return (self.tokenizer.id_to_token(token) or "?").replace("\n", LINE_END)

    @property
    def widest(self) -> int:
        return 0

    @property
    def state(self) -> dict[str, str]:
        return {"tokenizer": self.description}


@lru_cache(maxsize=8)
def noted(words: SubwordTokenizer, file: str) -> SubwordTokenizer:
    """Prints the note of a tokenizer once."""
    assert words.tokenizer
    if words.note:
        print(f"{file} {words.note}", file=sys.stderr)
    return words


def tokenizer_of(name: str) -> Tokenizer:
    """The tokenizer of `data.tokenizer`: `bytes`, a tokenizer.json or its folder, or a hub id.

    Raises Failed: X506 for a file that cannot be read, X507 for an invalid one or an unknown id,
    X508 without the library.
    """
    if name == BYTES:
        return ByteTokenizer()
    place = Path(name).expanduser()
    if place.is_dir():
        place = place / FILE
    if place.exists() or place.suffix == ".json" or not HUB.fullmatch(name):
        return noted(SubwordTokenizer(read_json(place)), str(place))
    return noted(SubwordTokenizer(of_hub(name)), name)


def read_json(file: Path) -> str:
    """The text of a tokenizer.json. Raises Failed (X506)."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        reason = getattr(e, "strerror", None) or "not UTF-8 text"
        hint = f"write {BYTES}, a tokenizer.json, its folder, or an id of the Hugging Face hub"
        message = f"cannot read the tokenizer: {reason}"
        raise Failed(Diagnostic("X506", message, hint, str(file))) from None


def of_hub(name: str) -> str:
    """The tokenizer.json of a repository of the hub. Raises Failed: X507, X508."""
    library = require("tokenizers", "a tokenizer of the hub")
    try:
        return library.Tokenizer.from_pretrained(name).to_str()
    except Exception as e:  # the network, the hub and the library raise different ones
        message = f"cannot load the tokenizer `{name}` of the hub: {first_line(e)}"
        hint = f"check the id and the connection; a tokenizer.json or `{BYTES}` needs neither"
        raise Failed(Diagnostic("X507", message, hint)) from None


def located(name: str) -> str:
    """A value of `data.tokenizer` for a run in any folder: paths are absolute, ids stay."""
    place = Path(name).expanduser()
    is_path = name and name != BYTES and (place.exists() or not HUB.fullmatch(name))
    return str(place.resolve()) if is_path or place.suffix == ".json" else name


def restored(state: Mapping[str, str]) -> Tokenizer | None:
    """The tokenizer stored in a checkpoint."""
    if "words" in state:
        return WordTokenizer(tuple(state["words"].split()))
    if "alphabet" in state:
        return CharacterTokenizer(state["alphabet"])
    if "bytes" in state:
        return ByteTokenizer()
    return SubwordTokenizer(state["tokenizer"]) if "tokenizer" in state else None
