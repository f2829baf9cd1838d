"""Logit of p(wrong): is a token to be deleted?

Paper: arXiv:1905.11006 (Levenshtein Transformer)
Also known as: word_del_head, deletion_classifier
"""

LIKE = "stop_logit"  # the same class with separate weights
