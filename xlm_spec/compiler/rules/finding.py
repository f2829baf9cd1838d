"""What a rule finds."""

from dataclasses import dataclass

from xlm_spec.compiler.spec import Choice


@dataclass(frozen=True)
class Finding:
    """Something wrong, or unwise, about a choice."""

    choice: Choice
    message: str
    hint: str = ""
