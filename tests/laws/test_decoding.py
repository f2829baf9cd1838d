"""Decoding as in the code of LLaDA, Dream, dLLM and MaskGIT, against loops over one sequence.

`tests/laws/test_samplers.py` has the distributions of all steps; here are long sequences, prompts
of several lengths, blocks, and numbers of steps that do not divide a block.
"""

import pytest
import torch
from methods import MASKED, package

from components.ops import portions
from components.schedule.cosine import CosineSchedule
from components.schedule.linear import LinearSchedule
from components.types import Vocab
from components.wrap.suppress_tokens import SuppressTokens

WORDS, LENGTH = 11, 18
VOCAB = Vocab(size=WORDS + 4, pad=WORDS, bos=WORDS + 1, eos=WORDS + 2, mask=WORDS + 3)


class Model:
    """Logits that depend on every token, with float64 weights; no special token but EOS."""

    def __init__(self, seed: int = 0):
        rng = torch.Generator().manual_seed(seed)
        self.key = torch.randn(VOCAB.size, 8, generator=rng, dtype=torch.float64)
        self.place = torch.randn(LENGTH, 8, generator=rng, dtype=torch.float64)
        self.value = torch.randn(8, VOCAB.size, generator=rng, dtype=torch.float64)

    def __call__(self, tokens, valid, t=None):
        seen = (self.key[tokens] * self.place[: tokens.shape[1]] * valid[..., None]).sum(1)
        return torch.tanh(seen[:, None] * self.place[: tokens.shape[1]])  # (B, L, 8)

    def token_logits(self, hidden):
        logits = 4 * hidden @ self.value
        return logits.index_fill(-1, torch.tensor(VOCAB.special), -torch.inf)


def numbers(masks: list[int], steps: int, counts: str, end: float, schedule) -> list[list[int]]:
    """The number of tokens of each step, for each row."""
    rng = torch.Generator().manual_seed(0)
    grid = portions(torch.tensor(masks), steps, counts, end, schedule, rng)
    return torch.stack([p.number for p in grid], 1).tolist()


@pytest.mark.parametrize(
    ("counts", "schedule", "n", "steps", "end", "theirs"),
    [
        ("even", LinearSchedule(), 10, 4, 0.0, [3, 3, 2, 2]),  # LLaDA: the remainder first
        ("even", CosineSchedule(), 3, 5, 0.0, [1, 1, 1, 0, 0]),
        ("floor", LinearSchedule(), 8, 8, 1e-3, [0, 1, 1, 1, 1, 1, 1, 2]),  # Dream
        ("floor", LinearSchedule(), 8, 8, 0.0, [1] * 8),
        ("round", LinearSchedule(), 10, 4, 0.0, [2, 3, 2, 3]),  # dLLM: halves to even
        ("round", CosineSchedule(), 16, 4, 0.0, [1, 4, 5, 6]),
        ("masks_left", CosineSchedule(), 16, 4, 0.0, [2, 3, 5, 6]),  # MaskGIT: 14, 11, 6 are left
        ("masks_left", CosineSchedule(), 3, 6, 0.0, [1, 1, 0, 0, 0, 1]),  # at least one is left
    ],
)
def test_the_numbers_of_tokens_are_those_of_the_authors(counts, schedule, n, steps, end, theirs):
    assert numbers([n, 0], steps, counts, end, schedule) == [theirs, [0] * steps]


def test_binomial_numbers_have_the_mean_of_the_schedule():
    """Standard error 0.018; the control is the mean of another schedule, 5 - 5 (1 - .383)."""
    first = [row[0] for row in numbers([10] * 8000, 4, "binomial", 0.0, CosineSchedule())]
    mean = sum(first) / len(first)
    assert abs(mean - 10 * (1 - torch.tensor(torch.pi * 3 / 8).sin())) < 0.1
    assert abs(mean - 2.5) > 1


def start(module, prompts: list[list[int]]):
    """BOS and prompts of several lengths, in a canvas of equal length."""
    tokens = torch.full((len(prompts), LENGTH), VOCAB.pad)
    fixed = torch.zeros_like(tokens, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        tokens[row, : 1 + len(prompt)] = torch.tensor([VOCAB.bos, *prompt])
        fixed[row, : 1 + len(prompt)] = True
    return module.Examples(tokens, torch.ones_like(fixed), fixed)


PROMPTS = [[3, 1, 4], [1, 5, 9, 2, 6], [], [3, 1, 4, 1]]


def greedy_of_llada(model, prompt: list[int], steps: int, block: int, scale: float) -> list[int]:
    """LLaDA's generation (arXiv:2502.09992, algorithm 5) at temperature 0, of one sequence."""
    line = [VOCAB.bos, *prompt] + [VOCAB.mask] * (LENGTH - 1 - len(prompt))
    first = 1 + len(prompt)

    def predict(tokens):
        given = torch.tensor([tokens])
        return model.token_logits(model(given, torch.ones_like(given, dtype=torch.bool)))[0]

    for begin in range(first, LENGTH, block):
        left = [*range(begin, min(begin + block, LENGTH))]
        base, extra = divmod(len(left), steps)
        for step in range(steps):
            logits = predict(line)
            if scale:
                blind = predict([VOCAB.mask] * first + line[first:])
                logits = blind + (scale + 1) * (logits - blind)
                logits[:, list(VOCAB.special)] = -torch.inf
            p, token = logits.softmax(-1).max(-1)
            left.sort(key=lambda i: -p[i])
            for i in left[: base + (step < extra)]:
                line[i] = int(token[i])
            left = [i for i in left if line[i] == VOCAB.mask]
    return line


@pytest.mark.parametrize(
    ("steps", "block", "scale"), [(4, 18, 0), (3, 5, 0), (5, 3, 0), (3, 5, 1.5)]
)
def test_greedy_decoding_is_that_of_llada(steps, block, scale, tmp_path):
    wraps = [f"blocks: {{size: {block}}}"]
    wraps += [f"guidance: {{scale: {scale}, keep: 0}}"] * (scale > 0)
    sampler = f"{{kind: drawn_confidence, steps: {steps}, tokens: {{kind: top_k, k: 1}}"
    module = package(tmp_path, MASKED, sampler=f"{sampler}, wrap: [{', '.join(wraps)}]}}")
    rng, model = torch.Generator().manual_seed(0), Model()
    config = module.Config(vocab=module.Vocab(**vars(VOCAB)))
    *_, last = module.sample(model, config, start(module, PROMPTS), rng)
    right = [greedy_of_llada(model, p, steps, block, scale) for p in PROMPTS]
    assert last.tokens.tolist() == right
    assert right != [greedy_of_llada(model, p, 1, block, scale) for p in PROMPTS]


def test_guidance_of_rows_in_a_batch_is_that_of_each_row(tmp_path):
    """Rows end at different steps, and have prompts of different lengths."""
    sampler = "{kind: drawn_factor, factor: 0.3, tokens: {kind: top_k, k: 1}, wrap: guidance}"
    module = package(tmp_path, MASKED, sampler=sampler)
    rng, model = torch.Generator().manual_seed(0), Model(1)
    config = module.Config(vocab=module.Vocab(**vars(VOCAB)))

    def sample(prompts):
        return [s.tokens for s in module.sample(model, config, start(module, prompts), rng)]

    alone = [sample([p]) for p in PROMPTS]
    assert len({len(states) for states in alone}) > 1
    assert sample(PROMPTS)[-1].tolist() == [states[-1][0].tolist() for states in alone]


def test_an_id_outside_of_the_vocabulary_is_not_suppressed():
    with pytest.raises(ValueError, match="no token 15: the vocabulary ends at 14"):
        SuppressTokens(Model(), VOCAB, first=13, count=3)
