"""WikiText-103: 103 million words of good articles of Wikipedia, detokenised, with its own splits.

A document is a line with its end (Merity et al., arXiv:1609.07843), so that no separator is needed.
"""

from xlm_spec.runtime.tasks.language import Language, Options

TASK = Language(
    name="wikitext103",
    options=Options(
        hub="Salesforce/wikitext",
        hub_config="wikitext-103-raw-v1",
        tokenizer="openai-community/gpt2",
        detokenizer="wikitext",
        block=1024,
    ),
)
