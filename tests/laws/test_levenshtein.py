"""The Levenshtein transformer: its three terms, read from three inputs, and when its rounds end.

The laws of terms do not read the inputs of roll-ins; here they are compared with plain code.
"""

import importlib

import pytest
import torch
from methods import ROUNDS, package
from torch import Tensor

from xlm_spec.laws.pinning import pinned

A, B, C = 0, 1, 2
GREEDY = "{kind: edit_rounds, tokens: {kind: top_k, k: 1}}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A package with the parts of the shipped spec."""
    return package(tmp_path_factory.mktemp("rounds"), ROUNDS, sampler=GREEDY)


class Pinned:
    """The method of a package, as `pinned` uses it."""

    def __init__(self, made):
        self.made = made

    def part(self, name: str):
        return importlib.import_module(f"{self.made.__name__}.{name}")


def examples(made, rows: list[list[int]], prompt: int = 1):
    """BOS and these tokens; the first `prompt` positions are fixed."""
    vocab = made.Config.small().vocab
    length = max(map(len, rows)) + 1
    padded = [[vocab.bos, *row, *[vocab.pad] * (length - 1 - len(row))] for row in rows]
    tokens = torch.tensor(padded)
    valid = tokens != vocab.pad
    return made.Examples(tokens, valid, (torch.arange(length) < prompt) & valid)


def nats_of(model, made, tokens: list[int], dropped: list[bool], prompt: int) -> dict[str, float]:
    """The terms of one sequence, one after the other."""
    vocab = made.Config.small().vocab

    def hidden(line: list[int]) -> Tensor:
        return model(torch.tensor([line]), torch.ones(1, len(line), dtype=torch.bool))[0]

    left = [v for v, gone in zip(tokens, dropped, strict=True) if not gone]
    numbers = []  # of the tokens that are missing after each one that is left
    for gone in dropped:
        numbers = [*numbers[:-1], numbers[-1] + 1] if gone else [*numbers, 0]
    log_p = model.placeholder_logits(hidden(left)).log_softmax(-1)
    is_open = [j >= prompt - 1 for j in range(len(left))]
    counts = sum(-float(log_p[j, n]) for j, n in enumerate(numbers) if is_open[j])

    masks = [vocab.mask if gone else v for v, gone in zip(tokens, dropped, strict=True)]
    log_p = model.token_logits(hidden(masks)).log_softmax(-1)
    gone = [j for j, d in enumerate(dropped) if d]
    fills = sum(-float(log_p[j, tokens[j]]) for j in gone)

    own = [int(log_p[j].argmax()) if j in gone else v for j, v in enumerate(tokens)]
    p = torch.sigmoid(model.delete_logit(hidden(own)))
    wrong = [a != b for a, b in zip(own, tokens, strict=True)]
    chances = [p[j] if w else 1 - p[j] for j, w in enumerate(wrong)]
    judged = sum(-float(c.log()) for c in chances[prompt:])
    return {
        "placeholder_cross_entropy": counts,
        "cross_entropy": fills,
        "delete_cross_entropy": judged,
    }


@pytest.mark.parametrize("prompt", [1, 2])
def test_the_terms_are_those_of_three_inputs(made, prompt):
    """The control: the terms of other dropped tokens."""
    torch.manual_seed(0)
    model = made.Model(made.Config.small()).double().eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    rows = [[A, B, C, A], [B, B, C], [C, A, A, B]]
    x = examples(made, rows, prompt)
    free = x.valid & ~x.fixed
    dropped = (torch.rand(x.tokens.shape, generator=torch.Generator().manual_seed(3)) < 0.5) & free
    config, rng = made.Config.small(), torch.Generator()
    with torch.no_grad(), pinned(Pinned(made), dropped, 0.5):
        found = made.objective(model, x, config, rng)
        for i, row in enumerate(rows):
            tokens, gone = x.tokens[i, : 1 + len(row)].tolist(), dropped[i, : 1 + len(row)].tolist()
            right = nats_of(model, made, tokens, gone, prompt)
            assert {k: float(v[i]) for k, v in found.items()} == pytest.approx(right, rel=1e-6)
            other = [not d and bool(free[i, j]) for j, d in enumerate(gone)]
            assert nats_of(model, made, tokens, other, prompt) != pytest.approx(right, rel=1e-2)


class Knows:
    """A model that writes A B C: it inserts what is missing at the end and deletes other tokens."""

    def __init__(self, made):
        self.vocab, self.calls = made.Config.small().vocab, 0

    def __call__(self, tokens: Tensor, valid: Tensor) -> Tensor:
        self.calls += 1
        length = valid.sum(1, keepdim=True)
        place = torch.arange(tokens.shape[1]).expand_as(tokens)
        return torch.stack([tokens, place, length.expand_as(tokens)], -1)

    def delete_logit(self, hidden: Tensor) -> Tensor:
        return torch.where(hidden[..., 0] == hidden[..., 1] - 1, -1.0, 1.0)

    def placeholder_logits(self, hidden: Tensor) -> Tensor:
        last = hidden[..., 1] == hidden[..., 2] - 1
        number = torch.where(last, (4 - hidden[..., 2]).clamp(min=0), 0)
        return torch.nn.functional.one_hot(number, 256).float()

    def token_logits(self, hidden: Tensor) -> Tensor:
        token = (hidden[..., 1] - 1).clamp(0, 7)
        return 50.0 * torch.nn.functional.one_hot(token, self.vocab.size).float()


def test_rounds_end_when_nothing_changes(made):
    """From nothing, and after the prompts A and C; A B C is written in one round, if there is room.

    The last round, which changes nothing, takes two function evaluations: it inserts no mask.
    """
    for row, prompt, right in (
        ([A, A, A, A], 1, [A, B, C]),
        ([A, A, A], 2, [A, B, C]),
        ([A, A], 1, [A, B]),
        ([C, A, A], 2, [C, B, C]),
    ):
        model, x = Knows(made), examples(made, [row], prompt)
        rng = torch.Generator().manual_seed(0)
        states = [*made.sample(model, made.Config.small(), x, rng)]
        assert states[-1].tokens[states[-1].valid].tolist()[1:] == right
        assert len(states) == 3  # the prompt, and after each round
        assert model.calls == 2 + 2
        assert not states[-1].open.any()
