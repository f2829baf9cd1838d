"""The input of `generate`: prompts to continue, or texts with blanks to fill."""

from dataclasses import dataclass
from typing import Any

import torch

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data.rows import Rows, padded_rows
from xlm_spec.runtime.evaluation.scoring import to
from xlm_spec.runtime.loading.managers import Loaders
from xlm_spec.runtime.weights.load_model import TrainedModel


@dataclass(frozen=True)
class Prompts:
    """The texts, and the state from which a sampler starts."""

    texts: list[str]
    start: Any  # Examples, N sequences
    rows: Rows | None = None  # prompts and true answers; None: texts to fill
    with_truths: bool = False  # else the answers of `rows` are empty


def prompts_to_continue(trained: TrainedModel, texts: list[str], n: int) -> Prompts:
    """Each prompt `n` times; without prompts, the first `n` of the test split, if it has any,
    else `n` sequences.

    A loader of the stage `predict` replaces the test split.
    """
    task, layout, rows = trained.run.task, trained.layout, None
    if texts or not task.ends or not layout.longest_prompt:
        texts = [t for t in texts or [""] for _ in range(n)]
        ids = [task.tokenizer.encode(t) for t in texts]
    else:
        loaders = Loaders(trained.run)
        loader = loaders.of("predict")[-1]
        rows = loaders.rows(loader, "predict").take(slice(0, n))
        pairs = zip(rows.prompt.tolist(), rows.prompt_length.tolist(), strict=True)
        ids = [prompt[:length] for prompt, length in pairs]
        texts = [task.tokenizer.decode(prompt) for prompt in ids]
    check_lengths(trained, texts, ids, layout.longest_prompt, "a prompt")
    padded = [prompt + [0] * (layout.longest_prompt - len(prompt)) for prompt in ids]
    start = layout.start(torch.tensor(padded), torch.tensor([len(prompt) for prompt in ids]))
    truths = rows is not None
    if rows is None:
        rows = padded_rows(ids, [[] for _ in ids])
    return Prompts(texts, to(start, trained.device), rows, truths)


def texts_to_fill(trained: TrainedModel, texts: list[str], n: int) -> Prompts:
    """Each text `n` times, its blanks free. Raises Failed: X502, X503, X509 without a blank.

    In a task of prompts and answers the answer begins after ` | `, else at the first blank.
    """
    texts = [t for t in texts for _ in range(n)]
    halves = [split_at_answer(trained, t) for t in texts]
    patterns = [[*prompt, *answer] for prompt, answer in halves]
    check_lengths(trained, texts, patterns, trained.layout.longest_text, "a text")
    prompt_lengths = [len(prompt) for prompt, _ in halves]
    start = trained.layout.infilling(patterns, prompt_lengths)
    return Prompts(texts, to(start, trained.device))


def split_at_answer(trained: TrainedModel, text: str) -> tuple[list[int | None], list[int | None]]:
    """The ids of the prompt and of the answer; None is a blank."""
    pattern = trained.run.task.tokenizer.pattern
    separated = trained.layout.separates_prompt
    prompt, mark, answer = text.partition(" | ") if separated else (text, "", "")
    first, second = pattern(prompt), pattern(answer) if mark else []
    if None not in (*first, *second):
        message = f"the text `{text[:40]}` has no blank"
        raise Failed(Diagnostic("X509", message, "write _ for each token to fill in"))
    if mark:
        return first, second
    return first[: first.index(None)], first[first.index(None) :]


def check_lengths(
    trained: TrainedModel, texts: list[str], ids: list, longest: int, what: str
) -> None:
    """Raises Failed (X503) if a text is too long."""
    task = trained.run.task.name
    for text, tokens in zip(texts, ids, strict=True):
        if len(tokens) > longest:
            message = f"{what} has {len(tokens)} tokens; task `{task}` allows at most {longest}"
            raise Failed(Diagnostic("X503", message, f"it begins with `{text[:40]}`"))
