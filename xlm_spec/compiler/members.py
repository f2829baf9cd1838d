"""The attributes that objects of a class have, read from its syntax."""

import ast
from collections.abc import Iterator
from functools import lru_cache

MODULE_ATTRIBUTES = (  # what every model has: `backbone`, and attributes of `torch.nn.Module`
    *("backbone", "forward", "training", "train", "eval", "parameters", "named_parameters"),
    *("buffers", "named_buffers", "modules", "named_modules", "children", "named_children"),
    *("state_dict", "load_state_dict", "get_submodule", "set_submodule", "get_parameter"),
    *("get_buffer", "get_extra_state", "set_extra_state", "extra_repr", "to", "to_empty", "type"),
    *("apply", "compile", "cpu", "cuda", "ipu", "mtia", "xpu", "float", "double", "half"),
    *("bfloat16", "share_memory", "requires_grad_", "zero_grad", "add_module", "call_super_init"),
    *("dump_patches", "register_module", "register_parameter", "register_buffer"),
    *("register_forward_hook", "register_forward_pre_hook", "register_backward_hook"),
    *("register_full_backward_hook", "register_full_backward_pre_hook"),
    *("register_state_dict_pre_hook", "register_state_dict_post_hook"),
    *("register_load_state_dict_pre_hook", "register_load_state_dict_post_hook"),
)
OF_TUPLES = (*dir(tuple), "_asdict", "_field_defaults", "_fields", "_make", "_replace")
BASES = {  # of which the attributes are known
    "NamedTuple": OF_TUPLES,
    "object": dir(object),
    "Module": (*dir(object), *MODULE_ATTRIBUTES),
}
NAMING = ("register_buffer", "register_parameter", "register_module", "add_module", "setattr")


@lru_cache(1000)
def members(node: ast.ClassDef) -> frozenset[str] | None:
    """The attributes of its objects; None if it can have any."""
    bases = [ast.unparse(b).rpartition(".")[2] for b in node.bases]
    if any(b not in BASES for b in bases) or node.keywords:
        return None
    found = {*dir(object), *(name for b in bases for name in BASES[b]), *in_body(node)}
    for n in ast.walk(node):
        if isinstance(n, ast.Attribute) and of_self(n) and isinstance(n.ctx, ast.Store):
            found.add(n.attr)
        if isinstance(n, ast.Call) and ast.unparse(n.func).rpartition(".")[2] in NAMING:
            names = [a.value for a in n.args[:2] if isinstance(a, ast.Constant)]
            if not names:
                return None
            found |= {str(name) for name in names}
    anything = {"__getattr__", "__getattribute__"} & {*in_body(node)}
    return None if anything or "self.__dict__" in ast.unparse(node) else frozenset(found)


def in_body(node: ast.ClassDef) -> Iterator[str]:
    """The fields, the constants and the methods of a class."""
    for n in node.body:
        if isinstance(n, ast.FunctionDef | ast.ClassDef):
            yield n.name
        elif isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name):
            yield n.target.id
        elif isinstance(n, ast.Assign):
            yield from (t.id for t in n.targets if isinstance(t, ast.Name))


def of_self(n: ast.Attribute) -> bool:
    return isinstance(n.value, ast.Name) and n.value.id == "self"


def optional_fields(node: ast.ClassDef) -> set[str]:
    """The fields that can be None."""
    fields = (n for n in node.body if isinstance(n, ast.AnnAssign))
    return {ast.unparse(n.target) for n in fields if "None" in ast.unparse(n.annotation)}
