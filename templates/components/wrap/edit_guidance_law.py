"""The law of `edit_guidance`: without a prompt both predictions are the same.

With one: tests/laws/test_edit_guidance.py.
"""

STRICT = {"scale": 0.5}


def wrapped(wrap, model):
    return model
