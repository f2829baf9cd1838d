"""enwik8: the first 10^8 bytes of a dump of Wikipedia, of which 90, 5 and 5 million are the splits.

Tokens are bytes, so that bits per token are bits per byte. `data.file=enwik8` reads the original
file (Hutter 2006).
"""

from xlm_spec.runtime.tasks.language import Language, Options

TASK = Language(
    name="enwik8",
    options=Options(
        hub="LTCB/enwik8",
        hub_config="enwik8",
        tokenizer="bytes",
        carve=5_000_000,
        block=256,
    ),
    unit="bytes",
)
