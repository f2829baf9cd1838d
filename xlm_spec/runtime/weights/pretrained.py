"""Reads the folder that `export` writes, with torch alone.

`export` copies this file into that folder, which is a Python package: `from FOLDER import load`.
"""

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

CONFIG, WEIGHTS, WORDS = "config.json", "model.safetensors", "words.json"
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


def load(
    folder: str | Path | None = None, package: Any = None, device: str = "cpu"
) -> "Pretrained":
    """The model of an exported folder, by default of the one that holds this file.

    `package`: the code that runs the weights, by default the modules of that folder; an installed
    or edited package of the same method works too. Raises RuntimeError if its model has other
    weights.
    """
    home = Path(folder) if folder else Path(__file__).parent
    package = package or importlib.import_module(".package", __package__)
    content = json.loads((home / CONFIG).read_text(encoding="utf-8"))
    config = config_of(content["xlm_spec"], package)
    model = package.Model(config)
    model.load_state_dict(read_safetensors(home / WEIGHTS))
    tokenizer = Tokenizer(json.loads((home / WORDS).read_text(encoding="utf-8")))
    return Pretrained(
        package, config, model.to(device).eval(), tokenizer, Canvas(**content["canvas"])
    )


@dataclass
class Canvas:
    """The positions of a task: BOS, prompt, BOS, free positions; without `ends` BOS and a block.

    A prompt that is shorter than the longest one has more BOS tokens before it.
    """

    longest_prompt: int
    free: int  # positions for an answer of unknown length
    ends: bool  # answers end with EOS; False: blocks of running text

    def start(self, prompts: Sequence[Sequence[int]], package: Any, vocab: Any) -> Any:
        """The start of sampling, Examples of N rows. Raises ValueError for a long prompt."""
        before = self.longest_prompt if self.ends else 0
        separator = [vocab.bos] * (before > 0)
        rows = []
        for prompt in prompts:
            if len(prompt) > self.longest_prompt:
                raise ValueError(f"a prompt has {len(prompt)} of {self.longest_prompt} tokens")
            shorter = [vocab.bos] * (before - len(prompt)) if self.ends else []
            rows.append([vocab.bos, *shorter, *prompt, *separator])
        length = 1 + before + len(separator) + self.free
        tokens = torch.tensor([row + [vocab.pad] * (length - len(row)) for row in rows])
        given = torch.tensor([len(row) for row in rows])
        fixed = torch.arange(length) < given[:, None]
        return package.Examples(tokens, torch.ones_like(fixed), fixed)


@dataclass
class Pretrained:
    """A trained model, its settings and its tokenizer."""

    package: Any  # Config, Examples, Model, SAMPLERS, objective, ...
    config: Any  # the package's Config; dataclasses.replace changes settings of a sampler
    model: nn.Module
    tokenizer: "Tokenizer"
    canvas: Canvas

    def generate(
        self, prompts: Sequence[str] = ("",), sampler: str | None = None, seed: int = 0
    ) -> list[str]:
        """An answer, or a continuation, for each prompt; `sampler`: default the first.

        Raises TypeError if `prompts` is one text, ValueError for a prompt that is too long.
        """
        if isinstance(prompts, str):
            raise TypeError("`prompts` is a list of texts: write generate([prompt])")
        device = next(self.model.parameters()).device
        rng = Generator(device).manual_seed(seed)
        answers = self.sample([self.tokenizer.encode(p) for p in prompts], sampler, rng)
        return [self.tokenizer.decode(a) for a in answers]

    @torch.no_grad()
    def sample(
        self, prompts: Sequence[Sequence[int]], sampler: str | None, rng: Generator
    ) -> list[list[int]]:
        """The tokens of an answer for each prompt, without EOS. Raises ValueError."""
        known = self.package.SAMPLERS
        if sampler is not None and sampler not in known:
            raise ValueError(f"no sampler `{sampler}`; there are {', '.join(known)}")
        if not prompts:
            return []
        vocab = self.config.vocab
        start = self.canvas.start(prompts, self.package, vocab)
        device = next(self.model.parameters()).device
        start = start._replace(**{k: getattr(start, k).to(device) for k in start._fields[:3]})
        draw = known[sampler or next(iter(known))]
        *_, last = draw(self.model, self.config, start, rng)
        fixed = torch.zeros_like(last.valid)  # a state may be longer than the start
        fixed[:, : start.fixed.shape[1]] = start.fixed
        answers = []
        for tokens, free in zip(last.tokens, last.valid & ~fixed, strict=True):
            answer = tokens[free].tolist()
            end = answer.index(vocab.eos) if vocab.eos in answer else len(answer)
            answers.append(answer[:end])
        return answers


class Tokenizer:
    """Text <-> ids. `stored`: words, an alphabet, or the content of a tokenizer.json."""

    def __init__(self, stored: Mapping[str, str]):
        self.stored = stored

    @cached_property
    def tokens(self) -> list[str]:
        """The words or characters, by id."""
        return (
            self.stored["words"].split() if "words" in self.stored else [*self.stored["alphabet"]]
        )

    @cached_property
    def ids(self) -> dict[str, int]:
        return {token: i for i, token in enumerate(self.tokens)}

    @cached_property
    def subwords(self) -> Any:
        """A tokenizer of the library tokenizers. Raises ImportError without it."""
        from tokenizers import Tokenizer

        found = Tokenizer.from_str(self.stored["tokenizer"])
        found.no_truncation()
        found.no_padding()
        if getattr(found.model, "dropout", None):
            found.model.dropout = None
        return found

    def encode(self, text: str) -> list[int]:
        """Raises ValueError for a word or character that is not in the vocabulary."""
        if "tokenizer" in self.stored:
            return self.subwords.encode(text, add_special_tokens=False).ids
        parts = text.split() if "words" in self.stored else [*text]
        unknown = next((p for p in parts if p not in self.ids), None)
        if unknown is not None:
            raise ValueError(f"{unknown!r} is not in the vocabulary")
        return [self.ids[p] for p in parts]

    def decode(self, ids: Sequence[int]) -> str:
        """The text, without special tokens."""
        if "tokenizer" in self.stored:
            size = 1 + max(self.subwords.get_vocab().values())
            return self.subwords.decode([i for i in ids if i < size], skip_special_tokens=False)
        joint = " " if "words" in self.stored else ""
        return joint.join(self.tokens[i] for i in ids if i < len(self.tokens))


def config_of(stored: Mapping[str, Any], package: Any) -> Any:
    """The Config of a package with stored settings, nested by name."""
    return filled(package.Config(vocab=package.Vocab(**stored["vocab"])), stored)


def filled(node: Any, values: Mapping[str, Any]) -> Any:
    """A dataclass with other values, at any depth; the names that it lacks are left out."""
    new = {}
    for f in fields(node):
        old = getattr(node, f.name)
        if f.name in values and f.name != "vocab":
            new[f.name] = filled(old, values[f.name]) if is_dataclass(old) else values[f.name]
    return replace(node, **new)


def read_safetensors(file: Path) -> dict[str, Tensor]:
    """The tensors: 8 bytes with the length of a JSON header, the header, the numbers.

    Raises OSError, and ValueError or an error of its kind for a damaged file.
    """
    data = bytearray(file.stat().st_size)
    with file.open("rb") as source:
        source.readinto(data)
    first = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:first])
    out = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype, shape = DTYPES[entry["dtype"]], entry["shape"]
        start, end = entry["data_offsets"]
        n = prod(shape)
        if end - start != n * dtype.itemsize:
            raise ValueError(name)
        flat = torch.frombuffer(data, dtype=dtype, count=n, offset=first + start) if n else None
        out[name] = torch.empty(shape, dtype=dtype) if flat is None else flat.reshape(shape)
    return out
