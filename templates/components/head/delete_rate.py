"""The probability that a token is to be deleted, per probability that it is not edited yet.

Paper: arXiv:2506.09018 (Edit Flows)
Also known as: deletion_rate, lambda_del, delete_head
"""

LIKE = "gap_count"  # the same class with separate weights
