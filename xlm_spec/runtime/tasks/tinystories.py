"""TinyStories: two million short stories in the words of a small child (arXiv:2305.07759).

Its validation split is both validation and test.
"""

from xlm_spec.runtime.tasks.language import Language, Options

TASK = Language(
    name="tinystories",
    options=Options(
        hub="roneneldan/TinyStories",
        tokenizer="openai-community/gpt2",
        separator="<|endoftext|>",
        block=512,
        streaming=True,
    ),
)
