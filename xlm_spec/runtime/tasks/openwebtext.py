"""OpenWebText: eight million web pages, of which the last 100,000 are validation and test.

As in SEDD (arXiv:2310.16834) and MDLM (arXiv:2406.07524). The separator is GPT-2's end of text.
"""

from xlm_spec.runtime.tasks.language import Language, Options

TASK = Language(
    name="openwebtext",
    options=Options(
        hub="Skylion007/openwebtext",
        carve=100_000,
        tokenizer="openai-community/gpt2",
        separator="<|endoftext|>",
        block=1024,
        streaming=True,
    ),
)
