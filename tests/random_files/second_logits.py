"""Further logits of tokens."""

LIKE = "token_logits"
