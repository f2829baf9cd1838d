"""Results that packages cannot compute with, as far as a file states them (X112).

A file states a result by the type that a function returns, by an arrow in its docstring (`... ->
(B, L)`), by `(B,)` at the end of a sentence, or by a reduction to one number (`return
nats.mean()`). What a file does not state is not guessed: another shape can be that of an input.
"""

import ast
import re
from collections.abc import Iterator

from xlm_spec.compiler.components import NETWORKS, Component, Function, component
from xlm_spec.compiler.declarations import ELBO_WEIGHTS
from xlm_spec.compiler.frontend.custom.signature_checks import Fault

SHAPES = re.compile(r"(?<!\w)\([A-Z]\w*,(?: [\w /+]+(?:, [\w /+]+)*)?\)")
MAPPED = re.compile(rf"{SHAPES.pattern}(?:, {SHAPES.pattern})*(?: each)? -> ({SHAPES.pattern})")
MATRIX = re.compile(r"\(\w+, [^,]+\)")
PER_SEQUENCE = re.compile(r", (\(B,\))(?:[.:;]|$)")

VALUES = ("None", "bool", "bytes", "float", "int", "str")
CONTAINERS = ("dict", "list", "set", "tuple", "Iterable", "Iterator", "Sequence")
NUMBERS = ("float", "int")  # a weight can be a number
TIMES = "(B, 1), or (B, L) for a time per position"
WEIGHTS = "(B, 1), or (B, L) for a weight per position"
EXPECTED = {  # folder -> functions and their shapes; "" is the function with the name of the file
    "loss": {"": "(B, 1) or (B, L)"},
    "weight": {"": WEIGHTS},
    "time": {"sample_time": TIMES, "density": TIMES, "bound_time": TIMES},
    "count": {"select_tokens": "(B, L)", "elbo_weight": WEIGHTS, "count_weight": WEIGHTS},
}
HINTS = {
    "loss": "nats per position, as `scatter` of `..ops` returns; or per sequence, `nats[:, None]`",
    "weight": "write, for example, `weight[:, None]`",
    "time": "write, for example, `t[:, None]`",
    "count": "every position of every sequence has a value; a weight is `weight[:, None]`",
    "process": "write, for example, `weight[:, None]`",
}
FUNCTIONAL = ("F", "functional", "nn.functional", "torch.nn.functional")
REDUCING = (
    *("binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "huber_loss"),
    *("kl_div", "l1_loss", "mse_loss", "nll_loss", "smooth_l1_loss"),
)


def results(c: Component) -> Iterator[Fault]:
    """The functions and methods whose stated result is not a tensor of a shape in `EXPECTED`."""
    for name, shape in expected(c).items():
        f = c.functions[name]
        constant = f.returns in NUMBERS and shape == WEIGHTS
        if not constant and is_no_tensor(f.returns, c, (*VALUES, *CONTAINERS)):
            message = f"`{name}` must return a Tensor, not `{f.returns}`"
            yield name, message, f"write `-> Tensor`: {shape}"
        elif (stated := stated_shape(f.doc)) and not MATRIX.fullmatch(stated):
            message = f"`{name}` must return {shape}; its docstring states {stated}"
            yield name, message, HINTS[c.folder]
        elif c.folder == "loss" and (number := one_number(c.definitions[name].node)):
            message = f"`{name}` must return {shape}; `{number}` is one number"
            yield name, message, HINTS[c.folder]
    for holder, f in called(c):
        if is_no_tensor(f.returns, c, VALUES):
            message = f"`{holder}.{f.name}` must return a Tensor, not `{f.returns}`"
            yield holder, message, "write `-> Tensor`"


def expected(c: Component) -> dict[str, str]:
    """The functions of a component that return a tensor, and its shape."""
    known = {name or c.value: shape for name, shape in EXPECTED.get(c.folder, {}).items()}
    if c.folder == "process":
        known = dict.fromkeys(ELBO_WEIGHTS.of(c).values(), WEIGHTS) if is_mapping(c) else {}
    return {name: shape for name, shape in known.items() if name in c.functions}


def is_mapping(process: Component) -> bool:
    """Is the declaration of ELBO weights a mapping? X116 reports other values."""
    return isinstance(ELBO_WEIGHTS.of(process), dict)


def called(c: Component) -> Iterator[tuple[str, Function]]:
    """The methods of a schedule, a rule or a network that return a tensor, with their class."""
    holder = c.network if c.folder in NETWORKS else c.object
    for name in ("alpha", "dalpha", "inverse", "__call__", "forward"):
        if name in c.methods.get(holder, {}):
            yield holder, c.methods[holder][name]


def is_no_tensor(annotation: str, c: Component, types: tuple[str, ...]) -> bool:
    """Does an annotation name one of these types, or a class that is not a tensor?"""
    name = annotation.partition("[")[0]
    return name in types or (types != VALUES and name in (*c.types, *component("", "types").types))


def stated_shape(doc: str) -> str:
    """The shape of the result in a docstring such as `(B, L, D) -> (B, L)`; "" if it is unclear.

    Or (B,), if that is its only shape and ends a sentence of the first paragraph.
    """
    first = doc.partition("\n\n")[0].replace("\n", " ")
    if mapped := MAPPED.match(first):
        return mapped[1]
    found = PER_SEQUENCE.search(first)
    return found[1] if found and {*SHAPES.findall(doc)} == {found[1]} else ""


def one_number(node: ast.AST) -> str:
    """What a function returns, if it is one number for the whole batch; else ""."""
    nodes = [*own_nodes(node)]
    stored = [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    assigned = {ast.unparse(n.targets[0]): n.value for n in nodes if isinstance(n, ast.Assign)}
    objects = {a.arg for a in arguments(node) if ast.unparse(a.annotation or a) != "Tensor"}
    for n in (n for n in nodes if isinstance(n, ast.Return)):
        value = n.value
        if isinstance(value, ast.Name) and stored.count(value.id) == 1:
            value = assigned.get(value.id)
        if isinstance(value, ast.Call) and is_reduction(value, objects):
            return ast.unparse(value)
    return ""


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions inside it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield child
            yield from own_nodes(child)


def arguments(node: ast.AST) -> list[ast.arg]:
    return [n for n in own_nodes(node) if isinstance(n, ast.arg)]


def is_reduction(call: ast.Call, objects: set[str]) -> bool:
    """Is it `nats.mean()`, or a loss of PyTorch that reduces its values to one number?"""
    home, _, name = ast.unparse(call.func).rpartition(".")
    given = {k.arg: k.value for k in call.keywords}
    if name in ("mean", "sum") and home not in ("", *objects):
        return not given and len(call.args) == (home == "torch")
    reduction = given.get("reduction", ast.Constant("mean"))
    reduces = isinstance(reduction, ast.Constant) and reduction.value in ("mean", "sum")
    return name in REDUCING and home in FUNCTIONAL and len(call.args) < 4 and reduces
