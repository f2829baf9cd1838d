"""FineWeb-Edu: educational web pages, a sample of ten billion tokens (arXiv:2406.17557).

It has one split: a digest chooses a twentieth of the pages for validation, and for testing. A
stream reads the first 1,000 of these.
"""

from xlm_spec.runtime.tasks.language import Language, Options

TASK = Language(
    name="fineweb_edu",
    options=Options(
        hub="HuggingFaceFW/fineweb-edu",
        hub_config="sample-10BT",
        tokenizer="openai-community/gpt2",
        separator="<|endoftext|>",
        block=1024,
        streaming=True,
    ),
)
