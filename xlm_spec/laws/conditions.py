"""Reasons why a law is not applicable to a method; "" if it is."""

import inspect
from collections.abc import Callable

from .law import when
from .law_files import NoLaw
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
    return m.of_count or other_times(m)


def other_times(m: Method) -> str:
    """Does the count state its sets over all times, as if these were continuous?"""
    stated = getattr(m.part("noise"), "likelihood", None)
    if m.discrete_times is None or stated is None or "t" in inspect.signature(stated).parameters:
        return ""
    return NoLaw("the count states P(corrupted | x) over continuous times, but times are discrete")
