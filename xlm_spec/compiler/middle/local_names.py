"""The local variables of objective.py that several terms or inputs of the model have."""

NUMBERED = ("z", "hidden", "target", "rate", "weight")  # of the second, `target_2`


def numbered(name: str, number: int) -> str:
    """The local name in a term or a view with this number."""
    assert name in NUMBERED
    return name if number == 1 else f"{name}_{number}"
