"""Laws of shapes: a value of another shape can be broadcast, and then mixes sequences."""

from collections.abc import Iterator

import torch

from .law import Figure, law
from .method import Method
from .observed import Shape, observed
from .toy_distribution import V


@law("heads have an output for each hidden state", basic=True)
def of_heads(m: Method) -> Iterator[Figure]:
    """As losses call them: 1 if the shape of the output is another than that of its law file.

    Of a head without a law file: if its first dimensions are not those of its input. The control:
    the same output with one more dimension.
    """
    for loss, seen in observed(m).items():
        for head, (read, returned) in seen.heads.items():
            right = right_shape(m, head, read)
            wrong, control = (not fits(shape, right) for shape in (returned, (1, *returned)))
            detail = f"head `{head}` returns {returned} from {read}, expected {in_words(right)}"
            yield Figure(float(wrong), 0, float(control), f"{head} in {loss}", detail)


def right_shape(m: Method, head: str, read: Shape) -> tuple[int | None, ...]:
    """The shape of the output for an input of this shape; None stands for any further ones.

    A law file that returns the features of its input says nothing of their number.
    """
    law_file = m.law("head", head)
    if not hasattr(law_file, "output"):
        return (*read[:-1], None)
    hidden = torch.zeros(*read[:-1], V + 1, dtype=torch.float64)
    shape = tuple(law_file.output(hidden, torch.zeros(V, dtype=torch.bool)).shape)
    return (*shape[:-1], None) if shape == tuple(hidden.shape) else shape


def fits(shape: Shape, right: tuple[int | None, ...]) -> bool:
    if None in right:
        return shape[: len(right) - 1] == right[:-1]
    return shape == right


def in_words(right: tuple[int | None, ...]) -> str:
    return str(right).replace("None", "...")


@law("losses have a value for each position or for each sequence", basic=True)
def of_losses(m: Method) -> Iterator[Figure]:
    """1 if the value of a loss is neither (B, L) nor (B, 1). The control: (B,).

    Of a loss that reads no hidden states, L is any number. The objective multiplies the value with
    weights (B, 1) or (B, L), and sums over positions.
    """
    for loss, seen in observed(m).items():
        if seen.raised:
            raise seen.raised
        assert seen.value is not None
        rows = seen.rows
        width = seen.hidden[1] if seen.hidden else max((1, *seen.value[1:2]))
        right = [(rows, width), (rows, 1)]
        wrong, control = (float(shape not in right) for shape in (seen.value, (rows,)))
        of = f"of {rows} sequences with {width} positions"
        detail = f"loss `{loss}` returns {seen.value} {of}, expected {right[0]} or {right[1]}"
        yield Figure(wrong, 0, control, loss, detail)
