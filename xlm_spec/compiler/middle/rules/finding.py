"""The result of a rule."""

from dataclasses import dataclass

from xlm_spec.compiler.middle.spec import Choice


@dataclass(frozen=True)
class Finding:
    """An error or a warning about a choice."""

    choice: Choice
    message: str
    hint: str = ""
