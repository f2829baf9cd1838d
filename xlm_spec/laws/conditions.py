"""Reasons why a law is not applicable to a method; "" if it is."""

from collections.abc import Callable

from .law import when
from .method import Method

bounded = when(lambda m: hasattr(m.module, "log_likelihood_bound"), "the method has no bound")
selects_tokens = when(lambda m: m.pinnable, "the process selects the tokens itself")
corrupts = when(lambda m: m.corrupts, "the process corrupts nothing")


def process_has(*functions: str) -> Callable[[Method], str]:
    """Has the process a law file with these functions?"""
    return lambda m: m.files.missing(m.process, *functions) or ""


def stated(m: Method) -> str:
    """Has the count a `likelihood`, which that of a process replaces?"""
    if m.states_likelihood:
        return "the process states the likelihood of corrupted sequences"
    return m.of_count or ""
