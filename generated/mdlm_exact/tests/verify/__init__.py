"""Laws that hold for a method before it is trained, on a world small enough to enumerate."""

from . import of_loss, of_network, of_noise, of_rules, of_sampler, of_schedule
from .law import LAWS, Law, Result, judged, verify
from .method import Method

__all__ = [
    "LAWS",
    "Law",
    "Method",
    "Result",
    "judged",
    "of_loss",
    "of_network",
    "of_noise",
    "of_rules",
    "of_sampler",
    "of_schedule",
    "verify",
]
