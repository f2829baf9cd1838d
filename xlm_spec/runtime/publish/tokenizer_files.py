"""A tokenizer as the files of `transformers`: tokenizer.json and tokenizer_config.json."""

import json
import sys
from typing import Any

from xlm_spec.runtime.data.tokenizers import (
    SPECIAL,
    ByteTokenizer,
    CharacterTokenizer,
    SubwordTokenizer,
    Tokenizer,
    WordTokenizer,
)

ANY_CHARACTER = "[\\s\\S]"


def tokenizer_files(tokenizer: Tokenizer, vocab: Any) -> dict[str, str]:
    """The text of each file; none, with a line on stderr, for ids that the format cannot hold."""
    ids = {s: getattr(vocab, s, -1) for s in SPECIAL}
    content = described(tokenizer)
    names = special_names([s for s in SPECIAL if ids[s] >= 0], json.dumps(content["model"]))
    with_special(content, {name: ids[s] for s, name in names.items()})
    if isinstance(tokenizer, SubwordTokenizer) and not keeps_ids(content, names, ids):
        line = "no tokenizer.json: the special tokens would get other ids in it; see words.json"
        print(line, file=sys.stderr)
        return {}
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
        **{f"{s}_token": name for s, name in names.items()},
    }
    files = {"tokenizer.json": content, "tokenizer_config.json": config}
    return {f: json.dumps(c, indent=2, ensure_ascii=False) + "\n" for f, c in files.items()}


def described(tokenizer: Tokenizer) -> dict[str, Any]:
    """The content of a tokenizer.json, without special tokens."""
    empty: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
    }
    parts: dict[str, Any] = {"normalizer": None, "post_processor": None, "decoder": None}
    if isinstance(tokenizer, SubwordTokenizer):
        content = {"added_tokens": [], **tokenizer.settings, "truncation": None, "padding": None}
        if content["model"].get("dropout"):
            content["model"] = {**content["model"], "dropout": None}
        return content | {"post_processor": None}
    if isinstance(tokenizer, ByteTokenizer):
        level = {"type": "ByteLevel", "add_prefix_space": False}
        level |= {"trim_offsets": True, "use_regex": False}
        parts |= {"pre_tokenizer": level, "decoder": level}
        return empty | parts | {"model": {"type": "BPE", "vocab": byte_names(), "merges": []}}
    if isinstance(tokenizer, CharacterTokenizer):
        isolated = {"behavior": "Isolated", "invert": False}
        parts["pre_tokenizer"] = {"type": "Split", "pattern": {"Regex": ANY_CHARACTER}, **isolated}
        parts["decoder"] = {"type": "Fuse"}
        tokens = list(tokenizer.alphabet)
    else:
        assert isinstance(tokenizer, WordTokenizer)
        parts["pre_tokenizer"] = {"type": "WhitespaceSplit"}
        tokens = list(tokenizer.words)
    known = {token: i for i, token in enumerate(tokens)}
    return empty | parts | {"model": {"type": "WordLevel", "vocab": known, "unk_token": "<unk>"}}


def byte_names() -> dict[str, int]:
    """The character that stands for each byte in byte-level files (Radford et al. 2019)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    other = [b for b in range(256) if b not in shown]
    names = {b: chr(b) for b in shown} | {b: chr(256 + i) for i, b in enumerate(other)}
    return {names[b]: b for b in range(256)}


def special_names(special: list[str], model: str) -> dict[str, str]:
    """A name for each special token that the vocabulary does not contain."""
    names = {}
    for s in special:
        name = f"<{s}>"
        while json.dumps(name) in model:
            name = f"<{name}>"
        names[s] = name
    return names


def with_special(content: dict[str, Any], ids: dict[str, int]) -> None:
    """Adds special tokens to a tokenizer.json."""
    known = content["model"]["vocab"]
    if isinstance(known, dict):
        content["model"]["vocab"] = known | ids
    off = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    added = [{"id": i, "content": name, **off, "special": True} for name, i in ids.items()]
    content["added_tokens"] = [*content["added_tokens"], *added]


def keeps_ids(content: dict[str, Any], names: dict[str, str], ids: dict[str, int]) -> bool:
    """Does the library give every special token its id?"""
    from tokenizers import Tokenizer as HuggingFace

    found = HuggingFace.from_str(json.dumps(content))
    return all(found.token_to_id(name) == ids[s] for s, name in names.items())
