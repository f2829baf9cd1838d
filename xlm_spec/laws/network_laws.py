"""Laws of a trained model, which need no knowledge of the method.

No model has a smaller cross-entropy than the entropy of the data, whatever it computes. If minus
the bound of a trained model is smaller, the bound is none.
"""

from collections.abc import Iterator

from .claims import BOUND
from .conditions import bounded
from .law import Figure, law
from .law_files import Unverified
from .method import Method
from .networks import ERRORS, LOOSE, mean_and_error, trained_model

ROUNDING = 0.005  # nats
OF_ENTROPY = 0.8  # the control claims this share of the entropy


@law("training lowers the objective", warns=True)
def learns(m: Method) -> Iterator[Figure]:
    """The change in nats on the same sequences. The control: no change."""
    done = trained_model(m)
    change, error = mean_and_error(done.after - done.before)
    before = float(done.before.mean())
    if ERRORS * error > before / 2:
        raise Unverified(f"the samples of the objective vary too much: {before:.3g} nats before")
    detail = f"{before:.3g} nats before, {float(done.after.mean()):.3g} after"
    yield Figure(change, -ERRORS * error, 0.0, f"{done.steps} steps", detail)


@law("no trained model is better than the entropy", bounded, claim=BOUND, proof=False)
def above_entropy(m: Method) -> Iterator[Figure]:
    """Nats of minus the bound below the entropy. The control: four fifths of this number, or of the
    entropy if that is smaller."""
    entropy = m.toy_distribution().entropy
    mean, error = mean_and_error(trained_model(m).minus_bound)
    below, most = entropy - mean, ERRORS * error + ROUNDING
    control = entropy - OF_ENTROPY * min(mean, entropy)
    if max(below, control) <= most:
        raise Unverified(f"the samples of the bound vary too much: {mean:.3g} +- {error:.2g} nats")
    detail = f"minus the bound is {mean:.3g}, the entropy {entropy:.3g} nats"
    yield Figure(below, most, control, detail=detail)


@law("the bound of a trained model is close to the entropy", bounded, warns=True)
def close(m: Method) -> Iterator[Figure]:
    """Nats above the entropy. The control: one nat more."""
    entropy = m.toy_distribution().entropy
    mean, error = mean_and_error(trained_model(m).minus_bound)
    yield Figure(
        mean - entropy,
        LOOSE + ERRORS * error,
        max(mean, entropy) - entropy + 1,
        detail=f"the bound is loose by {mean - entropy:.2g} nats",
    )
