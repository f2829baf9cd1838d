"""X357: the sampler reads other predictions than the losses train.

Where a token of x_t may be wrong, p(x_0 | x_t) and the prediction of x_0 without the token at this
position differ. A step with the one in place of the other counts x_t twice, or not at all. The
wraps `leave_one_out` and `denoiser` convert them exactly (arXiv:2605.22765).
"""

from collections.abc import Iterator

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import components_of
from xlm_spec.compiler.declarations import CONVERTS, PREDICTIONS
from xlm_spec.compiler.middle.likelihood import predictions
from xlm_spec.compiler.middle.method import Loop, Method
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X357"
WORDS = {
    "posterior": "of x_0 given all of x_t",
    "leave_one_out": "without the token at their position",
}


def found(method: Method) -> Iterator[Finding]:
    for loop in method.loops:
        made, misfit = predictions(method, loop)
        if misfit:
            converted = WORDS[next(iter(CONVERTS.of(misfit.component)))]
            message = f"wrap `{misfit.value}` converts predictions {converted}"
            yield Finding(misfit, f"{message}, which the losses do not train", "remove it")
            continue
        required = PREDICTIONS.of(loop.loop)
        if required and made in WORDS and made != required:
            yield mismatch(loop, made, required)


def mismatch(loop: Loop, made: str, required: str) -> Finding:
    message = f"sampler `{loop.loop.value}` requires predictions {WORDS[required]},"
    message = f"{message} but those of the model are {WORDS[made]}"
    known = components_of(axes.WRAP).items()
    fits = [v for v, c in known if c.wrapper and CONVERTS.of(c).get(made) == required]
    return Finding(loop.sampling.loop, message, f"write `wrap: {fits[0]}` in this sampler")
