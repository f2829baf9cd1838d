"""Typing errors: the prompt is a text with errors, the answer the text without them.

The texts are sentences of a small grammar, or the lines of a file; tokens are characters. An error
swaps two neighbouring letters, drops, doubles or replaces one. One text in twenty is for
validation, one in twenty for testing, chosen by a digest of the text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from string import ascii_lowercase

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data.metrics import error_rate, input_error_rate, sequence_accuracy
from xlm_spec.runtime.data.rows import Rows, padded_rows
from xlm_spec.runtime.data.tokenizers import CharacterTokenizer, Tokenizer
from xlm_spec.runtime.tasks.corpus import absolute, part_of, read_file
from xlm_spec.runtime.tasks.task import DEFAULTS, Metric, Settings, small

SIZES = {"test": 1_000, "val": 1_000, "train": 20_000}  # sentences of the grammar
CUT = ("val", "test")
DETERMINERS = "the a this every our their my your"
ADJECTIVES = (
    "old young quiet hungry clever tired strange little happy brave angry lazy gentle sleepy "
    "proud shy noisy polite silly famous"
)
NOUNS = (
    "farmer teacher sailor doctor painter monkey tiger soldier singer rabbit horse pirate "
    "dragon wizard queen uncle baker spider parrot dancer"
)
VERBS = (
    "sleeps dances laughs waits sings works walks reads shouts cooks swims writes jumps paints "
    "travels smiles listens hides plays returns"
)
GRAMMAR = [words.split() for words in (DETERMINERS, ADJECTIVES, NOUNS, VERBS)]
LONGEST = sum(max(map(len, words)) + 1 for words in GRAMMAR) - 1  # characters of a sentence
METRICS = {
    "sequence_accuracy": Metric(sequence_accuracy),
    "error_rate": Metric(error_rate),
    "input_error_rate": Metric(input_error_rate),
}
ALPHABET = f" {ascii_lowercase}"


@dataclass(frozen=True)
class Options:
    """The texts and their errors.

    Also known as:
        file: text_file, train_file
        errors: error_rate, noise, typo_rate, corruption_rate
        longest: max_characters
    """

    file: str = ""  # UTF-8 text, a text on each line; default: sentences of a small grammar
    errors: float = 0.1  # probability of an error at each letter; in [0, 1]
    longest: int = 32  # characters of the longest text; longer lines are left out; in [1, inf)


@dataclass(frozen=True)
class Typos:
    """Texts with errors, and without. `stored` is the tokenizer of a checkpoint."""

    options: Options = Options()
    stored: Tokenizer | None = None

    name, ends, samples, defaults = "typos", True, None, DEFAULTS
    paths = ("file",)  # options with paths relative to the folder of the spec
    metrics = METRICS

    def with_options(self, options: Options, tokenizer: Tokenizer | None = None) -> "Typos":
        return replace(
            self, options=replace(options, file=absolute(options.file)), stored=tokenizer
        )

    @property
    def longest_prompt(self) -> int:
        return self.options.longest

    @property
    def longest_answer(self) -> int:
        return self.options.longest

    @property
    def sizes(self) -> Mapping[str, Settings]:
        positions = 3 + 2 * self.options.longest
        return {"cpu": small(positions, layers=4, warmup=100, steps=3000), "paper": {}}

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Raises Failed (X506)."""
        if self.stored or not self.options.file:
            return self.stored or CharacterTokenizer(ALPHABET)
        return CharacterTokenizer("".join(sorted({*ALPHABET, *"".join(self.lines)})))

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the file that are not empty or too long. Raises Failed (X506)."""
        lines = map(str.strip, read_file(self.options.file).splitlines())
        return [line for line in lines if 0 < len(line) <= self.options.longest]

    def rows(self, split: str) -> Rows:
        """Raises Failed: X502, X506."""
        rng, encode = Random(f"typos {split}"), self.tokenizer.encode
        texts = [*self.texts(split, rng)]
        if not texts:
            hint = f"one line in 20, of at most data.longest={self.options.longest} characters"
            message = f"split `{split}` has no lines"
            raise Failed(Diagnostic("X506", message, hint, file=self.options.file))
        prompts = [encode(with_errors(text, self.options, rng)) for text in texts]
        return padded_rows(prompts, [encode(text) for text in texts])

    def texts(self, split: str, rng: Random) -> Iterator[str]:
        """The texts of a split. Raises Failed (X506)."""
        left = SIZES[split]
        if self.options.file:
            yield from (line for line in self.lines if part_of(line, CUT) == split)
            return
        if self.options.longest < LONGEST:
            message = f"the sentences of the grammar have up to {LONGEST} characters"
            hint = f"raise data.longest={self.options.longest}, or name a file with data.file"
            raise Failed(Diagnostic("X506", message, hint))
        while left:
            text = " ".join(rng.choice(words) for words in GRAMMAR)
            if part_of(text, CUT) == split:
                left -= 1
                yield text


def with_errors(text: str, options: Options, rng: Random) -> str:
    """The text with an error at each letter w.p. `errors`, at most `longest` characters."""
    made, i = [], 0
    while i < len(text):
        here, after = text[i], text[i + 1 : i + 2]
        error = here.isalpha() and rng.random() < options.errors
        kind = rng.choice(("swap", "drop", "double", "replace")) if error else ""
        if kind == "swap" and after.isalpha():
            here, i = after + here, i + 1
        elif kind == "drop":
            here = ""
        elif kind == "double":
            here += here
        elif kind == "replace":
            here = rng.choice(ascii_lowercase)
        made.append(here)
        i += 1
    return "".join(made)[: options.longest]


TASK = Typos()
