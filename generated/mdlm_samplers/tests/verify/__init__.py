"""Laws that hold for a method before it is trained, on a world small enough to enumerate."""

from . import of_loss, of_network, of_noise, of_rules, of_sampler, of_schedule
from .law import LAWS, Law, Result, judged, verify
from .method import Method

ORDER = ("of_schedule", "of_noise", "of_loss", "of_sampler", "of_network", "of_rules")
LAWS.sort(key=lambda law: ORDER.index(law.measure.__module__.rpartition(".")[2]))

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
