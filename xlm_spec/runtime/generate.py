"""The workflow `generate`: behind a prompt, or into the blanks of a text."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from xlm_spec.runtime.asked import Asked, blanks, prompts
from xlm_spec.runtime.loaded import Loaded, load, sampler_of
from xlm_spec.runtime.page import page, write
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.scoring import Drawn, draw
from xlm_spec.runtime.watch import Screen


def generate(package, data, train, args) -> None:
    """Prints samples: texts on stdout, or with --json one object a line."""
    loaded = load(package, data, train, args)
    run, words = loaded.run, loaded.run.task.words
    sampler = sampler_of(run, args.sampler)
    asked = blanks(loaded, args.fill, args.n) if args.fill else prompts(loaded, args.prompt, args.n)
    if args.html:
        write(args.html, "", "a")  # told before anything is drawn
    keep, fill = bool(args.watch or args.html), bool(args.fill)
    drawn, answers = sampled(loaded, sampler, asked, args.seed, keep, fill)
    if args.watch:
        Screen(run, sys.stderr).show(drawn.states)
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
    if args.html:
        others = [] if args.sampler else [n for n in run.package.SAMPLERS if n != sampler]
        more = {n: sampled(loaded, n, asked, args.seed, keep, fill)[0] for n in others}
        write(args.html, page(loaded, args.seed, {sampler: drawn} | more))


@torch.no_grad()
def sampled(
    loaded: Loaded, sampler: str, asked: Asked, seed: int, keep: bool = False, fill: bool = False
) -> tuple[Drawn, Tensor]:
    """What is drawn, and the answers (N, W), padded with -1; of filled blanks, the whole texts.

    Blanks say how long a text is, so that none of them is filled with an end. The randomness of a
    sampler does not depend on what else is drawn.
    """
    run, layout, model = loaded.run, loaded.layout, loaded.model
    rng = generator(seed, "generate", sampler, device=loaded.device)
    if not fill:
        drawn = draw(run, layout, model, sampler, asked.start, rng, keep)
        return drawn, drawn.answers
    vocab = run.config.vocab
    with never(model, vocab.eos, vocab.size):
        drawn = draw(run, layout, model, sampler, asked.start, rng, keep)
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
