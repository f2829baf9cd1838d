"""A tokenizer for texts of known words between spaces, as in the synthetic tasks."""

from dataclasses import dataclass
from functools import cached_property

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives

SPECIAL = ("pad", "bos", "eos", "mask")


@dataclass(frozen=True)
class Words:
    """Ids are places in `words`; special tokens get the ids behind them."""

    words: tuple[str, ...]

    @cached_property
    def ids(self) -> dict[str, int]:
        return {w: i for i, w in enumerate(self.words)}

    def vocabulary(self, needs: tuple[str, ...]) -> dict[str, int]:
        """Size and special ids for a method that needs these tokens besides BOS and padding."""
        special = [s for s in SPECIAL if s in ("pad", "bos", *needs)]
        size = len(self.words)
        return {"size": size + len(special)} | {s: size + i for i, s in enumerate(special)}

    def encode(self, text: str) -> list[int]:
        """Raises Failed (X502) at a word that is not of this vocabulary."""
        for word in text.split():
            if word not in self.ids:
                told = f"the prompt holds `{word}`, which is no word of this task"
                raise Failed(Diagnostic("X502", told, alternatives(word, self.words)))
        return [self.ids[w] for w in text.split()]

    def decode(self, ids: list[int]) -> str:
        """The words; special tokens are left out."""
        return " ".join(self.words[i] for i in ids if i < len(self.words))

    def show(self, token: int, vocabulary: dict[str, int]) -> str:
        """One token for a picture of a state."""
        if token < len(self.words):
            return self.words[token]
        name = next((s for s in SPECIAL if vocabulary.get(s) == token), "?")
        return {"mask": "_", "eos": ".", "pad": "", "bos": ""}.get(name, "?")
