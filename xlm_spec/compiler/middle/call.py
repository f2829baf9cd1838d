"""A call of a function in generated code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """`function(arguments)`."""

    function: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.function}({', '.join(self.arguments)})"

    def named(self, function: str) -> "Call":
        """The same arguments for another function."""
        return Call(function, self.arguments)
