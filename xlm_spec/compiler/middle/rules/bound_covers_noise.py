"""X312: a loss that is a bound by itself scores the tokens that the process corrupts.

Such a loss compares x_0 and x_t position by position. A target that does not read what the process
draws has other positions: the sum is no bound, or cannot be computed.
"""

from collections.abc import Iterator

from xlm_spec.compiler.declarations import ELBO_ALONE
from xlm_spec.compiler.middle.likelihood import unseen_fields
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X312"


def found(method: Method) -> Iterator[Finding]:
    process = method.spec.process
    unseen = unseen_fields(process.component)
    covering = [t for t in method.spec.targets if unseen & {*t.component.main.wires}]
    for term in method.terms:
        loss, target = term.loss, term.asked
        if unseen and ELBO_ALONE.of(loss.component) and target not in covering and not term.view:
            kind = loss.component.main.wires["target"]
            fits = [t.value for t in covering if t.component.main.returns == kind]
            message = f"loss `{loss.value}` is a bound of the noise, but its target"
            message = f"{message} `{target.value}` does not cover the tokens that process"
            hint = f"write `of: {fits[0]}`" if fits else "use a target that covers them"
            yield Finding(loss, f"{message} `{process.value}` corrupts", hint)
