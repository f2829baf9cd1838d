"""Logits of the tokens that may be inserted right after a token.

Also known as: gap_logits, insertion_logits, insertion_head, slot_logits
"""

LIKE = "token_logits"  # the same class with separate weights
