"""Molecules as strings: SMILES, SELFIES or SAFE, from a column of a table or from a file .smi.

A file .smi has a molecule per line, the first word of it. SMILES and SAFE (arXiv:2310.10773), which
is SMILES whose fragments are written one after another, are tokens of atoms, bonds and ring
closures (arXiv:1811.02633); SELFIES (arXiv:1905.13741) is its symbols. Sequences are unconditional.
A missing split is a twentieth of the rows, chosen by a digest of the string; the same molecule,
written differently, can be in two splits.

Of the samples (arXiv:1811.12823): `molecules_validity`, the share that RDKit reads as a molecule;
`molecules_uniqueness`, distinct molecules as a share of the valid ones; `molecules_novelty`, the
share of the distinct ones that are not in the training data. Molecules are compared by their
canonical SMILES. Exact samples of the data's distribution have validity 1; the other two depend on
the data, and on the number of samples. The metrics require the libraries rdkit and, for SELFIES,
selfies.
"""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import blake2b
from importlib import import_module
from typing import Any, Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data.preprocess import cached, key_of, mapped
from xlm_spec.runtime.machine.extras import require
from xlm_spec.runtime.tasks.pairs import BATCH, CODE, Columns

EXTRA = "rdkit"
WHAT = "task `molecules`"
TOKENS = {
    "smiles": re.compile(
        r"\[[^\]]+\]|Br|Cl|%\d\d|[BCNOPSFIbcnops]|[().=#$:~@?>*+\-\\/]|\d"  # Schwaller et al.
    ),
    "selfies": re.compile(r"\[[^\]]+\]|\."),
}
TOKENS["safe"] = TOKENS["smiles"]


@dataclass(frozen=True)
class Options:
    """The file and its molecules.

    Also known as:
        answer: smiles_column
        longest_answer: max_molecule_length
    """

    file: str = ""  # .smi, .smiles, .jsonl, .json, .csv, .tsv or .parquet, or a pattern of them
    val_file: str = ""  # molecules for validation; default: a twentieth of the rows
    test_file: str = ""  # molecules for testing; default: a twentieth of the rows
    hub: str = ""  # data set instead of a file: its id on the Hugging Face hub, or its folder
    hub_config: str = ""  # configuration of the data set
    answer: str = "smiles"  # column of the molecules
    notation: Literal["smiles", "selfies", "safe"] = "smiles"  # of the column
    longest_answer: int = 0  # tokens of the longest molecule; 0: measured; in [0, inf)
    long: Literal["error", "drop"] = "error"  # molecules that are longer: an error, or left out

    # as the task `pairs` has them
    prompt = tokenizer = ""
    tokens = "words"
    longest_prompt, streaming, held_out = 0, False, 0

    @property
    def longest(self) -> tuple[int, int]:
        return 0, self.longest_answer


@dataclass(frozen=True)
class Molecules(Columns):
    """A column of molecules; the words of a sequence are their tokens."""

    options: Options = Options()  # type: ignore[assignment]

    name = "molecules"

    @property
    def measured(self) -> Options:  # type: ignore[override]
        """The options, with the length of the longest molecule."""
        if self.options.longest_answer:
            return self.options
        splits = [self.rows(split) for split in ("train", "val", "test")]
        longest = max(int(rows.answer_length.max()) for rows in splits)
        return replace(self.options, longest_answer=longest)

    def pairs(self, batch: Mapping[str, list], split: str, first: int) -> list[tuple[str, str]]:
        """Molecules as words. Raises Failed (X506) for one that is not in the notation."""
        notation = self.options.notation
        return [(p, spaced(a, notation)) for p, a in super().pairs(batch, split, first)]

    @property
    def extra_options(self) -> dict[str, object]:
        return {"notation": self.options.notation, "tokens": TOKENS["smiles"].pattern}

    @property
    def set_metrics(self) -> Mapping[str, Callable[[], Any]]:
        return {"molecules": partial(Quality, self.options.notation, lambda: self.training)}

    @cached_property
    def training(self) -> Tensor:
        """Digests of the canonical SMILES of the training data, sorted, (M,)."""
        key = key_of(self.fingerprints, self.columns, self.extra_options, self.options, code=OWN)
        return cached(f"molecules-{key}", self.digests)["digests"]

    def digests(self) -> dict[str, Tensor]:
        canonical = partial(canonicals, self.options.notation)
        texts = [[t.replace(" ", "") for t in answers] for _, answers in self.texts("train")]
        found = mapped(
            canonical, texts, "reading molecules", -(-len(self.tables["train"]) // BATCH)
        )
        every = {digest(m) for part in found for m in part if m}
        return {"digests": torch.tensor(sorted(every), dtype=torch.long)}


def spaced(text: str, notation: str) -> str:
    """The tokens of a molecule as words. Raises Failed (X506) if a part of it is no token."""
    text = text.strip()
    found = TOKENS[notation].findall(text)
    if "".join(found) != text or not text:
        message = f"`{text[:60]}` is not {notation.upper()}"
        hint = "data.notation: smiles, selfies or safe; data.answer is the column of the molecules"
        raise Failed(Diagnostic("X506", message, hint))
    return " ".join(found)


def canonical(text: str, notation: str) -> str:
    """The canonical SMILES of a molecule; "" if RDKit reads none. Raises Failed (X508)."""
    require("rdkit", WHAT, EXTRA)
    chem, base = import_module("rdkit.Chem"), import_module("rdkit.rdBase")
    if notation == "selfies":
        selfies = require("selfies", WHAT, EXTRA)
        try:
            text = selfies.decoder(text) or ""
        except selfies.DecoderError:
            return ""
    with base.BlockLogs():
        molecule = chem.MolFromSmiles(text)
        return chem.MolToSmiles(molecule) if molecule and molecule.GetNumAtoms() else ""


def canonicals(notation: str, texts: list[str]) -> list[str]:
    return [canonical(text, notation) for text in texts]


def digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


class Quality(Metric):
    """Validity, uniqueness and novelty of molecules."""

    full_state_update = False
    molecules: Any

    def __init__(self, notation: str, known: Callable[[], Tensor]) -> None:
        super().__init__()
        self.notation, self.known = notation, known
        canonical("[C]", notation)  # raises Failed (X508) if a library is missing
        self.add_state("molecules", [], dist_reduce_fx="cat")

    def update(self, texts: list[str]) -> None:
        every = canonicals(self.notation, [text.replace(" ", "") for text in texts])
        found = [(bool(m), digest(m)) for m in every]
        self.molecules.append(torch.tensor(found, dtype=torch.long, device=self.device).view(-1, 2))

    def compute(self) -> dict[str, float]:
        """0 for a share of nothing."""
        joined = self.molecules if isinstance(self.molecules, Tensor) else torch.cat(self.molecules)
        valid = joined[joined[:, 0] == 1, 1].cpu()
        distinct = valid.unique()
        new = len(distinct) - int(torch.isin(distinct, self.known()).sum())
        return {
            "validity": len(valid) / max(1, len(joined)),
            "uniqueness": len(distinct) / max(1, len(valid)),
            "novelty": new / max(1, len(distinct)),
        }


OWN = (*CODE, sys.modules[__name__])
TASK = Molecules()
