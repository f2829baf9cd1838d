"""text8: 100 million letters and spaces of Wikipedia, of which 90, 5 and 5 million are the splits.

The conventional carving is by position: the last 10 million characters are validation and test
(Mikolov et al. 2012; D3PM, arXiv:2107.03006). Blocks of 256 characters.
"""

from xlm_spec.runtime.tasks.language import Language, Options

TASK = Language(
    name="text8",
    alphabet=" abcdefghijklmnopqrstuvwxyz",
    options=Options(
        hub="afmck/text8",
        tokenizer="characters",
        carve=5_000_000,
        block=256,
    ),
    unit="characters",
)
