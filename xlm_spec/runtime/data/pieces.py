"""Documents as tokens: detokenised, encoded, cut or left out, and counted."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data.detokenizers import DETOKENIZERS
from xlm_spec.runtime.data.rows import Rows, padded_rows
from xlm_spec.runtime.data.tokenizers import Tokenizer


class Piece(NamedTuple):
    """Some encoded documents."""

    ids: Tensor  # (n,) int32, of all documents
    lengths: Tensor  # (D,) int32
    counts: Tensor  # (5,): documents, characters, bytes, tokens that were cut, documents left out


@dataclass(frozen=True)
class Form:
    """How a document becomes tokens. `most`: tokens of a document; 0: any number."""

    tokenizer: Tokenizer
    detokenizer: str
    separator: str = ""
    most: int = 0
    cut: bool = False  # longer documents are cut, or left out

    def piece(self, texts: list[str]) -> Piece:
        """Raises Failed (X502)."""
        kept: list[list[int]] = []
        characters = size = lost = out = 0
        for text in texts:
            text = DETOKENIZERS[self.detokenizer](text) + self.separator
            ids = self.tokenizer.encode(text)
            if self.most and len(ids) > self.most:
                if not self.cut:
                    out += 1
                    continue
                lost, ids = lost + len(ids) - self.most, ids[: self.most]
                text = self.tokenizer.decode(ids)
            kept.append(ids)
            characters += len(text)
            size += len(text.encode("utf-8", "surrogateescape"))
        flat = torch.tensor([i for ids in kept for i in ids], dtype=torch.int32)
        counts = torch.tensor([len(kept), characters, size, lost, out])
        return Piece(flat, torch.tensor([len(ids) for ids in kept], dtype=torch.int32), counts)


def documents_of(ids: Tensor, lengths: Tensor, most: int) -> Rows:
    """A row for each document, (D, most). Raises Failed (X506) if there are none."""
    if not len(lengths):
        message = f"no document has at most {most} tokens"
        raise Failed(Diagnostic("X506", message, "raise data.block or data.sequences=truncated"))
    return padded_rows([[]] * len(lengths), [t.tolist() for t in ids.split(lengths.tolist())])
