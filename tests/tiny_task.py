"""A task with a file of its own and few examples: what is tested on it is told in seconds."""

from xlm_spec.runtime.data.tokenizers import WordTokenizer
from xlm_spec.runtime.tasks.pairs import Pairs


def draw(rng):
    digits = [str(rng.randrange(10)) for _ in range(rng.randint(3, 6))]
    return " ".join(digits), " ".join(sorted(digits))


TASK = Pairs(
    name="sort",
    tokenizer=WordTokenizer(tuple("0123456789")),
    draw=draw,
    longest_prompt=6,
    longest_answer=6,
    splits={"test": 20, "val": 20, "train": 200},
)
