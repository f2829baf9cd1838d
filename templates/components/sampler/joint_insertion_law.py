"""The law of `joint_insertion`: gap and token are sampled as a pair."""

from xlm_spec.laws import Sampling, Step

from .insertion_law import insertion_steps


def steps(s: Sampling) -> list[Step]:
    token = s.rule("tokens")
    return insertion_steps(s, lambda p: token(p.flatten()).view_as(p))
