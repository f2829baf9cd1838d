"""The One Billion Word benchmark: shuffled sentences of news (arXiv:1312.3005).

It has no validation: figures are of its test split, as in MDLM (arXiv:2406.07524). A sentence is a
sequence of at most 128 subwords of BERT; `data.sequences=wrapped` fills blocks with sentences,
which moves the perplexity by points: figures of the two kinds do not compare.
"""

from xlm_spec.runtime.tasks.language import Language, Options

TASK = Language(
    name="lm1b",
    options=Options(
        hub="billion-word-benchmark/lm1b",
        tokenizer="google-bert/bert-base-uncased",
        detokenizer="lm1b",
        sequences="truncated",
        separator="\n",
        block=128,
        streaming=True,
    ),
)
