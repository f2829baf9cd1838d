"""X312: a bound that reads the noise scores the tokens that the process corrupts.

A loss that is a bound by itself, and that reads x_t or what the process draws, compares x_0 and x_t
position by position. A target that does not read what the process draws has other positions: the
sum is no bound, or cannot be computed. (A loss that reads neither, such as that of the length, is a
term of its own, also if it reads the time.)
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
    noised = {*process.component.types["Noised"]} - {"valid"}
    covering = [t for t in method.spec.targets if unseen & {*t.component.main.wires}]
    for term in method.terms:
        loss, target = term.loss, term.asked
        compares = ELBO_ALONE.of(loss.component) and noised & {*loss.component.main.wires}
        if unseen and compares and target not in covering and not term.view:
            kind = loss.component.main.wires["target"]
            fits = [t.value for t in covering if t.component.main.returns == kind]
            message = f"loss `{loss.value}` is a bound of the noise, but its target"
            message = f"{message} `{target.value}` does not cover the tokens that process"
            hint = f"write `of: {fits[0]}`" if fits else "use a target that covers them"
            yield Finding(loss, f"{message} `{process.value}` corrupts", hint)
