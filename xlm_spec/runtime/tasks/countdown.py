"""Countdown: combine numbers to reach a target (Gandhi et al., arXiv:2404.03683).

The prompt is `numbers` numbers from 1 to `largest`, then the target, an integer from 1 to `target`;
the answer is an expression with + - * / and parentheses that uses each of the numbers at most once.
The data combine two numbers at random until one is left, where all results are integers from 1 to
`target`, so that their answer uses all numbers, and is one of many. `solved`: the expression, by
the usual precedence and in exact fractions, equals the target, and no number is used more often
than it is in the prompt; `wellformed`: it is an expression. The optimum of both is 1; of
`sequence_accuracy` it is not known.
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data.tokenizers import WordTokenizer
from xlm_spec.runtime.tasks.generated import Example, Generated, share
from xlm_spec.runtime.tasks.task import ACCURACY, Metric

SYMBOLS = ("+", "-", "*", "/", "(", ")")  # their ids; number n has the id n + 5
FIRST = len(SYMBOLS) - 1
PLUS, MINUS, TIMES, OVER, OPEN, CLOSE = range(6)


@dataclass(frozen=True)
class Options:
    """Options of countdown."""

    numbers: int = 3  # numbers of a prompt; in [2, 6]
    largest: int = 20  # largest number of a prompt; in [1, 100]
    target: int = 100  # largest target; in [1, 1000]
    examples: int = 20_000  # puzzles for training; in [1, inf)
    seed: int = 42  # seed of the puzzles


@dataclass(frozen=True)
class Countdown(Generated):
    """Countdown; a number is one token."""

    options: Options = Options()
    name = "countdown"

    def require(self) -> None:
        o = self.options
        if o.largest > o.target:
            message = f"data.largest = {o.largest} is larger than data.target = {o.target}"
            raise Failed(Diagnostic("X506", message, "a number may be the target itself"))

    @property
    def tokenizer(self) -> WordTokenizer:
        return WordTokenizer((*SYMBOLS, *map(str, range(1, self.options.target + 1))))

    @property
    def longest_prompt(self) -> int:
        return self.options.numbers + 1

    @property
    def longest_answer(self) -> int:
        return 4 * self.options.numbers - 5  # all operands but numbers in parentheses

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return ACCURACY | {"solved": share(is_solved), "wellformed": share(is_wellformed)}

    def key(self, example: Example) -> Hashable:
        """The order of the numbers does not matter."""
        *numbers, target = example[0]
        return (*sorted(numbers), target)

    def draw(self, seed: int, n: int) -> list[Example]:
        rng = Random(seed)
        found = (self.drawn_puzzle(rng) for _ in range(n))
        return [puzzle for puzzle in found if puzzle]

    def drawn_puzzle(self, rng: Random) -> Example | None:
        """None if no two of the numbers that are left can be combined."""
        o = self.options
        numbers = [rng.randint(1, o.largest) for _ in range(o.numbers)]
        left = [(n, [FIRST + n]) for n in numbers]
        while len(left) > 1:
            (a, of_a), (b, of_b) = (left.pop(rng.randrange(len(left))) for _ in range(2))
            results = {PLUS: a + b, MINUS: a - b, TIMES: a * b, OVER: a // b if a % b == 0 else 0}
            allowed = [k for k, r in results.items() if 1 <= r <= o.target]
            if not allowed:
                return None
            symbol = rng.choice(allowed)
            left.append((results[symbol], [*inner(of_a), symbol, *inner(of_b)]))
        [(target, expression)] = left
        return [*(FIRST + n for n in numbers), FIRST + target], expression


def inner(expression: list[int]) -> list[int]:
    """An operand, in parentheses if it is no number."""
    return expression if len(expression) == 1 else [OPEN, *expression, CLOSE]


def value(expression: list[int]) -> Fraction | None:
    """The exact value of an expression; None if it is none, or divides by zero."""
    left = expression[::-1]  # the next token is the last

    def operand() -> Fraction:
        token = left.pop()
        if token > FIRST:
            return Fraction(token - FIRST)
        if token != OPEN:
            raise ValueError
        found = summed()
        if left.pop() != CLOSE:
            raise ValueError
        return found

    def product() -> Fraction:
        found = operand()
        while left and left[-1] in (TIMES, OVER):
            found = found * operand() if left.pop() == TIMES else found / operand()
        return found

    def summed() -> Fraction:
        found = product()
        while left and left[-1] in (PLUS, MINUS):
            found = found + product() if left.pop() == PLUS else found - product()
        return found

    try:
        found = summed()
    except (IndexError, ValueError, ZeroDivisionError, RecursionError):
        return None
    return None if left else found


def is_wellformed(prompt: list[int], answer: list[int]) -> bool:
    return value(answer) is not None


def is_solved(prompt: list[int], answer: list[int]) -> bool:
    """Does an expression equal the target with the numbers of the prompt, each used once?"""
    *numbers, target = prompt
    used = Counter(token for token in answer if token > FIRST)
    return used <= Counter(numbers) and value(answer) == target - FIRST


TASK = Countdown()
