"""The workflow `generate`."""

import json
import sys

import torch

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.loaded import Loaded, load, sampler_of
from xlm_spec.runtime.page import page, write
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.scoring import Drawn, draw, to
from xlm_spec.runtime.tasks.task import Rows
from xlm_spec.runtime.watch import Screen


def generate(package, data, train, args) -> None:
    """Prints samples: texts on stdout, or with --json one object a line."""
    loaded = load(package, data, train, args)
    run, layout, words = loaded.run, loaded.layout, loaded.run.task.words
    sampler = sampler_of(run, args.sampler)
    rows = prompts(loaded, args.prompt, args.n)
    start = to(layout.start(rows.prompt, rows.prompt_length), loaded.device)
    if args.html:
        write(args.html, "", "a")  # told before anything is drawn
    drawn = drawn_by(sampler, loaded, start, args)
    if args.watch:
        Screen(run, sys.stderr).show(drawn.states)
    for prompt, n, answer in zip(
        rows.prompt.tolist(), rows.prompt_length.tolist(), drawn.answers.tolist(), strict=True
    ):
        tokens = [t for t in answer if t >= 0]
        told = {
            "prompt": words.decode(prompt[:n]),
            "text": words.decode(tokens),
            "tokens": tokens,
            "steps": drawn.steps,
            "network_calls": drawn.calls,
            "seconds": round(drawn.seconds / len(rows.prompt), 6),
        }
        print(json.dumps(told) if args.json else f"{told['prompt']} -> {told['text']}")
    if args.html:
        names = [args.sampler] if args.sampler else run.package.SAMPLERS
        by = {n: drawn if n == sampler else drawn_by(n, loaded, start, args) for n in names}
        write(args.html, page(loaded, args.seed, by))


def drawn_by(sampler: str, loaded: Loaded, start, args) -> Drawn:
    """What a sampler writes; its randomness does not depend on what else is drawn."""
    rng = generator(args.seed, "generate", sampler, device=loaded.device)
    keep = bool(args.watch or args.html)
    with torch.no_grad():
        return draw(loaded.run, loaded.layout, loaded.model, sampler, start, rng, keep)


def prompts(loaded: Loaded, texts: list[str], n: int) -> Rows:
    """Each given prompt `n` times; without any, the first `n` of the test split."""
    if not texts:
        rows = loaded.run.task.rows("test")
        return rows.take(slice(0, n))
    coded = [loaded.run.task.words.encode(t) for t in texts for _ in range(n)]
    longest = loaded.layout.longest_prompt
    for text, ids in zip(texts, coded[::n], strict=True):
        if len(ids) > longest:
            told = f"a prompt of {len(ids)} words; task `{loaded.run.task.name}` has {longest}"
            raise Failed(Diagnostic("X503", f"{told} at most", f"it begins `{text[:40]}`"))
    padded = [ids + [0] * (longest - len(ids)) for ids in coded]
    lengths = torch.tensor([len(ids) for ids in coded])
    empty = torch.zeros(len(coded), 1, dtype=torch.long)
    return Rows(torch.tensor(padded), lengths, empty, torch.zeros_like(lengths))
