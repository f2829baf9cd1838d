"""Hints for the items of a list, such as targets and losses, whose keys are names."""

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import components_of
from xlm_spec.compiler.frontend.cases import Case
from xlm_spec.compiler.frontend.load import Document
from xlm_spec.compiler.frontend.location import Location
from xlm_spec.compiler.frontend.other_words import KIND
from xlm_spec.compiler.frontend.synonyms import (
    difference,
    key_meant,
    meant,
    noted,
    unlike,
)
from xlm_spec.diagnostics import alternatives


def item(p: Location) -> str:
    """The replacement of an item with another name, and the parameters that it implies."""
    named, more = meant(p.axis, p.key) if p.axis else ("", "")
    lacks = unlike(more, p.value)
    write = f"write `{named}: {{{lacks}{', …' * bool(p.value)}}}`"
    hint = write if lacks else f"write `{named}`"
    return noted(hint, difference(p.axis, p.key)) if p.axis and named else ""


def item_with_a_kind(p: Location) -> str:
    """The replacement of an item whose name is the value of `kind`."""
    axis = p.axis if p.key in ("kind", *KIND) else None
    named, more = (p.value, "") if is_file(p.value) else meant(axis, p.value) if axis else ("", "")
    lacks = unlike(more, p.around)
    beside = (f"{k}: {p.doc.written((*p.path[:-1], k))}" for k in p.around if k != p.key)
    rest = ", ".join([*([lacks] if lacks else []), *beside])
    hint = f"write `{named}: {{{rest}}}`" if rest or not axis else f"write `{axis.key}: {named}`"
    return noted(hint, difference(axis, p.value)) if axis and named else ""


def is_file(value: object) -> bool:
    """Is it the file of a custom component?"""
    return isinstance(value, str) and value.endswith(".py")


def first_loss(doc: Document) -> str:
    """The first loss of the spec, or else any loss."""
    known = components_of(axes.LOSS)
    words = (w for p in doc.spans if p[:1] == axes.LOSS.parts for w in (p[-1], doc.at(p)))
    return next((w for w in words if isinstance(w, str) and w in known), next(iter(known)))


# ---- the cases -----------------------------------------------------------------------------------

NOT_INDENTED = {
    "loss: [{cross_entropy: , weight: elbo}] -> indent it under `cross_entropy:`": Case(
        lambda p: p.above, lambda p, above: f"indent it under `{above}:`"
    ),
}
UNKNOWN = {
    **NOT_INDENTED,
    "loss: [elbo: {}] -> write `cross_entropy: {weight: elbo}`": Case(item),
    "target: [length: {}] -> a predicted length (CMLM) is not available; the nearest is `stop`,"
    " which predicts only whether anything is missing": Case(
        lambda p: p.axis and difference(p.axis, p.key)
    ),
    "loss: [{name: ce, weight: elbo}] -> write `cross_entropy: {weight: elbo}`": Case(
        item_with_a_kind
    ),
    "head: {my_head: ./my_head.py} -> write `head: ./my_head.py`": Case(
        lambda p: p.axis if is_file(p.value) else None,
        lambda p, axis: f"write `{axis.key}: {p.value}`",
    ),
    "loss: [cross_entropy, weight: elbo] -> write `cross_entropy: {weight: elbo}`": Case(
        lambda p: p.axis is axes.LOSS and key_meant(p.section, p.key, [axes.WEIGHT.key]),
        lambda p, weight: (
            f"write `{next((k for k in p.around if k in p.known), None) or first_loss(p.doc)}:"
            f" {{{weight}: {p.written}}}`"
        ),
    ),
    "target: [mask_token: {}] -> did you mean `masked_tokens`? allowed: clean_tokens, …": Case(
        lambda p: alternatives(p.key, p.known)
    ),
}
SEVERAL = {
    "target: {gap_tokens: {}, stop: {}} -> write a list: `[gap_tokens: …, stop: …]`": Case(
        lambda p: p.known,
        lambda p, known: f"write a list: `[{', '.join(f'{n}: …' for n in known)}]`",
    )
}
