"""The probability that a token is to be substituted, per probability that it is not edited yet.

Paper: arXiv:2506.09018 (Edit Flows)
Also known as: substitution_rate, lambda_sub, substitute_head
"""

LIKE = "gap_count"  # the same class with separate weights
