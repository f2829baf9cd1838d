"""Rules of the mathematics (X3xx), and of calls of the model (X208): a module for each.

`RULES_OF_SPEC` read only the choices of a spec. `RULES_OF_METHOD` read the composed method, so they
run only if its components fit together. Rules from X351 on are warnings. X301 is reported in
`training`, where the weight is looked up.
"""

from collections.abc import Iterator
from types import ModuleType

from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.rules import (
    block_sampler_time,
    bound_covers_noise,
    complete_sequences,
    corrector_fits,
    drawn_stop_weight,
    inconsistent_weights,
    minimiser_depends_on_time,
    model_arguments,
    monotone_schedule,
    noise_has_time,
    one_value_per_sequence,
    partial_terms,
    passes_time,
    predictions_of_sampler,
    residual_signal,
    target_covers_noise,
    target_leakage,
    unknown_time_density,
    untrained_head,
)
from xlm_spec.diagnostics import Diagnostic

RULES_OF_SPEC = (
    target_covers_noise,
    noise_has_time,
    block_sampler_time,
    passes_time,
    minimiser_depends_on_time,
    complete_sequences,
)
RULES_OF_METHOD = (
    model_arguments,
    bound_covers_noise,
    one_value_per_sequence,
    untrained_head,
    corrector_fits,
    monotone_schedule,
    drawn_stop_weight,
    predictions_of_sampler,
    inconsistent_weights,
    residual_signal,
    unknown_time_density,
    partial_terms,
    target_leakage,
)
FIRST_WARNING = 351  # codes from this number on are warnings


def findings(method: Method, rules: tuple[ModuleType, ...]) -> Iterator[Diagnostic]:
    """The diagnostics of some rules for a method."""
    for rule in rules:
        severity = "warning" if int(rule.CODE[1:]) >= FIRST_WARNING else "error"
        for f in rule.found(method):
            yield method.spec.diagnostic(rule.CODE, f.choice, f.message, f.hint, severity)
