"""The workflow `generate`: behind a prompt, or into the blanks of a text."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.loaded import Loaded, load, sampler_of
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.scoring import Drawn, draw, to
from xlm_spec.runtime.watch import Screen


@dataclass(frozen=True)
class Asked:
    """What is given of each row, as a text and as what a sampler starts from."""

    texts: list[str]
    start: Any  # Examples, N rows


def generate(package, data, train, args) -> None:
    """Prints samples: texts on stdout, or with --json one object a line."""
    loaded = load(package, data, train, args)
    run, words = loaded.run, loaded.run.task.words
    sampler = sampler_of(run, args.sampler)
    asked = blanks(loaded, args.fill, args.n) if args.fill else prompts(loaded, args.prompt, args.n)
    rng = generator(args.seed, "generate", sampler, device=loaded.device)
    drawn, answers = sampled(loaded, sampler, asked, rng, bool(args.fill), args.watch)
    if args.watch:
        Screen(run, sys.stderr).show(asked.start, drawn.states)
    for text, answer in zip(asked.texts, answers.tolist(), strict=True):
        tokens = [t for t in answer if t >= 0]
        told = {
            "prompt": text,
            "text": words.decode(tokens),
            "tokens": tokens,
            "steps": drawn.steps,
            "network_calls": drawn.calls,
            "seconds": round(drawn.seconds / len(asked.texts), 6),
        }
        print(json.dumps(told) if args.json else f"{told['prompt']} -> {told['text']}")


@torch.no_grad()
def sampled(
    loaded: Loaded, sampler: str, asked: Asked, rng: torch.Generator, filling: bool, keep: bool
) -> tuple[Drawn, Tensor]:
    """What is drawn, and the answers (N, W), padded with -1; of filled blanks, the whole texts.

    Blanks say how long a text is, so that none of them is filled with an end.
    """
    run, layout, model = loaded.run, loaded.layout, loaded.model
    if not filling:
        drawn = draw(run, layout, model, sampler, asked.start, rng, keep=keep)
        return drawn, drawn.answers
    vocab = run.config.vocab
    with never(model, vocab.eos, vocab.size):
        drawn = draw(run, layout, model, sampler, asked.start, rng, keep=keep)
    last = drawn.states[-1]
    return drawn, layout.whole(last.tokens.cpu(), last.valid.cpu())


@contextmanager
def never(model: torch.nn.Module, token: int, size: int) -> Iterator[None]:
    """While it is open, no head gives a token any probability; `token` -1 stands for none."""

    def forbid(head, given, logits):
        if token >= 0 and isinstance(logits, Tensor) and logits.shape[-1:] == (size,):
            return logits.index_fill(-1, torch.tensor([token], device=logits.device), -torch.inf)
        return logits

    heads = [m for name, m in model.named_children() if name != "backbone"]
    hooks = [head.register_forward_hook(forbid) for head in heads]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def prompts(loaded: Loaded, texts: list[str], n: int) -> Asked:
    """Each given prompt `n` times; without any, the first `n` of the test split, if it has some."""
    task, layout = loaded.run.task, loaded.layout
    if texts or not task.ends:
        texts = [t for t in texts or [""] for _ in range(n)]
        coded = [task.words.encode(t) for t in texts]
    else:
        rows = task.rows("test").take(slice(0, n))
        given = zip(rows.prompt.tolist(), rows.prompt_length.tolist(), strict=True)
        coded = [prompt[:k] for prompt, k in given]
        texts = [task.words.decode(ids) for ids in coded]
    fits(loaded, texts, coded, layout.longest_prompt, "a prompt")
    padded = [ids + [0] * (layout.longest_prompt - len(ids)) for ids in coded]
    start = layout.start(torch.tensor(padded), torch.tensor([len(ids) for ids in coded]))
    return Asked(texts, to(start, loaded.device))


def blanks(loaded: Loaded, texts: list[str], n: int) -> Asked:
    """Each given text `n` times, its blanks free. Raises Failed: X502, X503, X509 of no blank."""
    texts = [t for t in texts for _ in range(n)]
    coded = [loaded.run.task.words.pattern(t) for t in texts]
    fits(loaded, texts, coded, loaded.layout.longest_text, "a text")
    for text, ids in zip(texts, coded, strict=True):
        if None not in ids:
            told = f"the text `{text[:40]}` has no blank"
            raise Failed(Diagnostic("X509", told, "write _ for each token that is to be filled in"))
    return Asked(texts, to(loaded.layout.infilling(coded), loaded.device))


def fits(loaded: Loaded, texts: list[str], coded: list, longest: int, what: str) -> None:
    """Raises Failed (X503) where a text is too long."""
    for text, ids in zip(texts, coded, strict=True):
        if len(ids) > longest:
            told = f"{what} of {len(ids)} tokens; task `{loaded.run.task.name}` has {longest}"
            raise Failed(Diagnostic("X503", f"{told} at most", f"it begins `{text[:40]}`"))
