"""Byte-level byte-pair encoding, trained on texts (Sennrich et al., arXiv:1508.07909; GPT-2)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.runtime import tasks
from xlm_spec.runtime.config.overrides import Known, overridden
from xlm_spec.runtime.config.resolve_config import assignment
from xlm_spec.runtime.data.detokenizers import DETOKENIZERS
from xlm_spec.runtime.machine.extras import require
from xlm_spec.runtime.tasks.corpus import Source, is_table, lines_of, read_file
from xlm_spec.runtime.tasks.language import Language
from xlm_spec.runtime.tasks.text import Text

BYTES = 256  # tokens of every such tokenizer, so that any text has tokens


def trained(texts: Iterable[str], size: int, special: Sequence[str] = ()) -> str:
    """The content of a tokenizer.json with at most `size` tokens.

    `special`: texts that are one token each and never merged, such as a separator of documents.
    Raises Failed: X506 without any text, X508 without the library, X602 if `size` is too small.
    """
    library = require("tokenizers", "training a tokenizer")
    if size < BYTES + len(special):
        message = f"a byte-level tokenizer has at least {BYTES + len(special)} tokens, not {size}"
        raise Failed(Diagnostic("X602", message, "raise --size"))
    level = {"add_prefix_space": False}
    made = library.Tokenizer(library.models.BPE())
    made.pre_tokenizer = library.pre_tokenizers.ByteLevel(**level)
    made.decoder = library.decoders.ByteLevel()
    trainer = library.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(special),
        initial_alphabet=sorted(library.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    seen = Counted(texts)
    made.train_from_iterator(seen, trainer)
    if not seen.characters:
        raise Failed(Diagnostic("X506", "there is no text to train a tokenizer on"))
    return made.to_str(pretty=True)


class Counted:
    """Texts, and their number of characters once they are read."""

    def __init__(self, texts: Iterable[str]):
        self.texts, self.characters = texts, 0

    def __iter__(self) -> Iterator[str]:
        for text in self.texts:
            self.characters += len(text)
            yield text


def texts_in(files: Sequence[str], column: str) -> Iterator[str]:
    """The texts of files: of a table, a column. Raises Failed: X506, X508."""
    for file in files:
        if is_table(file):
            yield lines_of(Source({"train": file}), column)["train"]
        else:
            yield read_file(file)


def texts_of_task(name: str, sets: Sequence[str]) -> Iterator[str]:
    """The training text of a task. Raises Failed: X501, X505-X508, X601, X602."""
    task: Any = tasks.find(name)
    known = Known(("data.", task.options))
    values = {k: known.converted(k, v) for k, v in map(assignment, sets)}
    made = task.with_options(overridden(task.options, values, "data."))
    if isinstance(made, Text):
        yield made.texts["train"]
    elif isinstance(made, Language):
        restore = DETOKENIZERS[made.options.detokenizer]
        for batch in made.texts("train"):
            yield from map(restore, batch)
    else:
        of_text = [n for n in tasks.names() if isinstance(tasks.find(n), Text | Language)]
        message = f"task `{name}` is not of running text"
        raise Failed(Diagnostic("X602", message, alternatives(name, of_text)))
