"""What `generate` is asked for: prompts to go on from, or texts with blanks to fill."""

from dataclasses import dataclass
from typing import Any

import torch

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.loaded import Loaded
from xlm_spec.runtime.scoring import to


@dataclass(frozen=True)
class Asked:
    """What is given of each row, as a text and as what a sampler starts from."""

    texts: list[str]
    start: Any  # Examples, N rows


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
    """Each given text `n` times, its blanks free. Raises Failed: X502, X503, X509 of no blank.

    Of a task of prompts and answers the answer begins behind ` | `, else at the first blank.
    """
    texts = [t for t in texts for _ in range(n)]
    found = [halves(loaded, t) for t in texts]
    coded = [[*prompt, *answer] for prompt, answer in found]
    fits(loaded, texts, coded, loaded.layout.longest_text, "a text")
    begins = [len(prompt) for prompt, _ in found]
    return Asked(texts, to(loaded.layout.infilling(coded, begins), loaded.device))


def halves(loaded: Loaded, text: str) -> tuple[list[int | None], list[int | None]]:
    """What is given as prompt, and the rest; None is a blank."""
    pattern = loaded.run.task.words.pattern
    prompt, mark, answer = text.partition(" | ") if loaded.layout.parted else (text, "", "")
    first, second = pattern(prompt), pattern(answer) if mark else []
    if None not in (*first, *second):
        told = f"the text `{text[:40]}` has no blank"
        raise Failed(Diagnostic("X509", told, "write _ for each token that is to be filled in"))
    if mark:
        return first, second
    return first[: first.index(None)], first[first.index(None) :]


def fits(loaded: Loaded, texts: list[str], coded: list, longest: int, what: str) -> None:
    """Raises Failed (X503) where a text is too long."""
    for text, ids in zip(texts, coded, strict=True):
        if len(ids) > longest:
            told = f"{what} of {len(ids)} tokens; task `{loaded.run.task.name}` has {longest}"
            raise Failed(Diagnostic("X503", f"{told} at most", f"it begins `{text[:40]}`"))
