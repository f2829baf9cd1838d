"""Logit of p(finished): is nothing missing in the gap after a token?

Paper: arXiv:1902.03249 (Insertion Transformer)
Also known as: slot_end, no_insertion, end_of_slot, slot_finalization
"""

LIKE = "stop_logit"  # the same class with separate weights
