"""A judge for tests: a random GPT-2 whose tokens are letters."""

import torch
from tokenizers import Tokenizer, models, pre_tokenizers


def tiny_judge(folder, positions=16, letters=False) -> str:
    """Its folder. Tokens are words of one letter, or with `letters` each character."""
    import transformers

    words = {w: i for i, w in enumerate([*"abcdefghijklmnopqrstuvwxyz", "<unk>"])}
    made = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    made.pre_tokenizer = (
        pre_tokenizers.Split("", "isolated") if letters else pre_tokenizers.Whitespace()
    )
    transformers.PreTrainedTokenizerFast(tokenizer_object=made).save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=27, n_positions=positions, n_embd=32, n_layer=2, n_head=2, initializer_range=0.5
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    return str(folder)
