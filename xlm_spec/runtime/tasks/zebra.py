"""Zebra puzzles: who lives where, from clues (Shah et al., arXiv:2409.10502).

There are `houses` houses in a row and `attributes` attributes (a, b, ...), each with as many values
(a1, a2, ...), and each house has one value of each. The prompt is the clues in random order, three
words each: `at a1 2` (a1 is in house 2), `same a1 b2` (in the same house), `apart a1 b2` (not),
`left a1 b2` (directly left of) and `near a1 b2` (in neighbouring houses). The answer is the values
house by house. The clues are a random minimal set: one assignment satisfies all of them, and
without any of them several do, which is found by enumeration. Puzzles with the same clues are the
same; those that differ by names of values are not. `solved`: each value is in one house and all
clues hold, so the optimum is 1; `clues`: share of the clues that hold.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product
from math import factorial
from random import Random

import torch

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data.tokenizers import WordTokenizer
from xlm_spec.runtime.tasks.generated import Example, Generated, share
from xlm_spec.runtime.tasks.task import ACCURACY, Metric

KINDS = ("at", "same", "apart", "left", "near")  # the ids 0 - 4; then houses, then values
AT, SAME, APART, LEFT, NEAR = range(5)
MOST = 400_000  # assignments that are enumerated
Clue = tuple[int, int, int]  # kind, a value, and a house or another value, from 0


@dataclass(frozen=True)
class Options:
    """Options of zebra."""

    houses: int = 3  # houses, and values of each attribute; in [2, 8]
    attributes: int = 2  # attributes of a house; in [1, 8]
    examples: int = 20_000  # puzzles for training; in [1, inf)
    seed: int = 42  # seed of the puzzles


@dataclass(frozen=True)
class Zebra(Generated):
    """Zebra puzzles; value v of attribute a has the number a * houses + v."""

    options: Options = Options()
    name = "zebra"

    def require(self) -> None:
        o = self.options
        number = factorial(o.houses) ** o.attributes
        if number > MOST:
            message = f"{o.attributes} attributes of {o.houses} houses have {number:,} assignments"
            hint = f"task `zebra` enumerates {MOST:,} at most: use fewer houses or attributes"
            raise Failed(Diagnostic("X506", message, hint))

    @property
    def tokenizer(self) -> WordTokenizer:
        o = self.options
        houses = [str(h + 1) for h in range(o.houses)]
        values = [f"{chr(97 + a)}{v + 1}" for a in range(o.attributes) for v in range(o.houses)]
        return WordTokenizer((*KINDS, *houses, *values))

    @property
    def most_clues(self) -> int:
        """Clues of a puzzle; the few that need more are left out."""
        return self.options.houses * self.options.attributes

    @property
    def longest_prompt(self) -> int:
        return 3 * self.most_clues

    @property
    def longest_answer(self) -> int:
        return self.options.houses * self.options.attributes

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return ACCURACY | {
            "solved": share(self.is_solved),
            "clues": share(self.clues_that_hold),
        }

    def key(self, example: Example) -> Hashable:
        """The order of the clues does not matter."""
        prompt = example[0]
        return tuple(sorted(zip(prompt[::3], prompt[1::3], prompt[2::3], strict=True)))

    def draw(self, seed: int, n: int) -> list[Example]:
        rng, o = Random(seed), self.options
        known, masks = clues(o.houses, o.attributes)
        found = []
        for _ in range(n):
            solution = rng.randrange(factorial(o.houses) ** o.attributes)
            chosen = minimal(solution, masks, rng)
            if len(chosen) <= self.most_clues:
                prompt = [self.words(known[i]) for i in chosen]
                found.append(([w for clue in prompt for w in clue], self.answer(solution)))
        return found

    def words(self, clue: Clue) -> tuple[int, int, int]:
        """The ids of a clue."""
        kind, first, second = clue
        houses = len(KINDS)
        values = houses + self.options.houses
        return kind, values + first, (houses if kind == AT else values) + second

    def answer(self, number: int) -> list[int]:
        """The ids of an assignment, house by house."""
        n = self.options.houses
        place = assignments(n, self.options.attributes)[number]  # house of each value
        values = sorted(range(len(place)), key=lambda v: (place[v], v))
        return [len(KINDS) + n + v for v in values]

    def houses_of(self, answer: list[int]) -> dict[int, int] | None:
        """Value -> house; None if a house lacks an attribute or a value is not in one house."""
        n, k = self.options.houses, self.options.attributes
        values = [token - len(KINDS) - n for token in answer]
        if sorted(values) != [*range(n * k)]:
            return None
        if any(v // n != i % k for i, v in enumerate(values)):
            return None
        return {v: i // k for i, v in enumerate(values)}

    def clues_that_hold(self, prompt: list[int], answer: list[int]) -> float:
        """Their share; 0 if the answer is no assignment."""
        house = self.houses_of(answer)
        if house is None:
            return 0.0
        first = len(KINDS) + self.options.houses
        held = []
        for kind, a, b in zip(prompt[::3], prompt[1::3], prompt[2::3], strict=True):
            at = house[a - first]
            other = b - len(KINDS) if kind == AT else house[b - first]
            held.append(holds(kind, at, other))
        return sum(held) / len(held)

    def is_solved(self, prompt: list[int], answer: list[int]) -> bool:
        """Is an answer an assignment for which all clues hold?"""
        return self.clues_that_hold(prompt, answer) == 1.0


def holds(kind: int, at: int, other: int) -> bool:
    """Does a clue hold for two houses?"""
    return {
        AT: at == other,
        SAME: at == other,
        APART: at != other,
        LEFT: at + 1 == other,
        NEAR: abs(at - other) == 1,
    }[kind]


@cache
def assignments(houses: int, attributes: int) -> list[tuple[int, ...]]:
    """The house of each value, for every assignment."""
    one = [*permutations(range(houses))]
    return [sum(each, ()) for each in product(one, repeat=attributes)]


@cache
def clues(houses: int, attributes: int) -> tuple[list[Clue], list[int]]:
    """Every clue, and the assignments for which it holds, as the bits of a number."""
    place = torch.tensor(assignments(houses, attributes), dtype=torch.int8)
    values = range(houses * attributes)
    known: list[Clue] = [(AT, v, h) for v in values for h in range(houses)]
    for a, b in permutations(values, 2):
        known.append((LEFT, a, b))
        if a < b:
            known.append((NEAR, a, b))
            if a // houses != b // houses:
                known += [(SAME, a, b), (APART, a, b)]
    masks = []
    for kind, a, b in known:
        other = torch.full_like(place[:, a], b) if kind == AT else place[:, b]
        apart = other - place[:, a]
        held = {
            AT: apart == 0,
            SAME: apart == 0,
            APART: apart != 0,
            LEFT: apart == 1,
            NEAR: apart.abs() == 1,
        }[kind]
        masks.append(as_bits(held))
    return known, masks


def as_bits(held: torch.Tensor) -> int:
    """A number whose bit i is element i, of bools (N,)."""
    padded = torch.nn.functional.pad(held.byte(), (0, -len(held) % 8)).view(-1, 8)
    return int.from_bytes((padded << torch.arange(8)).sum(1).byte().numpy().tobytes(), "little")


def minimal(solution: int, masks: list[int], rng: Random) -> list[int]:
    """The numbers of clues in random order that leave only one assignment, each needed."""
    only = 1 << solution
    true = [i for i, mask in enumerate(masks) if mask & only]
    rng.shuffle(true)
    left, chosen = -1, list[int]()
    for i in true:
        if left & masks[i] != left:
            left &= masks[i]
            chosen.append(i)
        if left == only:
            break
    for i in [*chosen]:
        rest = -1
        for j in chosen:
            rest &= masks[j] if j != i else -1
        if rest == only:
            chosen.remove(i)
    rng.shuffle(chosen)
    return chosen


TASK = Zebra()
