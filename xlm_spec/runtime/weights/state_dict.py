"""Plain state dicts for `--init`: names -> tensors, in a file of torch or of safetensors.

The names are those of the model or of its backbone. The file may have a prefix before all of them,
such as `module.` or `transformer.`, and other tensors.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.weights import checkpoint
from xlm_spec.runtime.weights.pretrained import read_safetensors

WITHIN = ("state_dict", "model", "module")  # keys under which files hold the state dict
ADDED = ("", "backbone.")  # before a name of the file in a name of the model
MOST = 8  # names in a message


def read(file: Path) -> Any:
    """The content of a file of torch or of safetensors. Raises Failed (X701)."""
    if file.suffix != ".safetensors":
        return checkpoint.read(file)
    try:
        return read_safetensors(file)
    except FileNotFoundError:
        hint = checkpoint.existing(file.parent)
        message = "checkpoint does not exist"
        raise Failed(Diagnostic("X701", message, hint, file=str(file))) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        message = "not a file in the format of safetensors"
        raise Failed(Diagnostic("X701", message, file=str(file))) from None


def tensors_of(content: Any, file: Path) -> dict[str, Tensor]:
    """The named tensors in the content of a file. Raises Failed (X701)."""
    for key in WITHIN:
        inner = content.get(key) if isinstance(content, Mapping) else None
        content = inner if isinstance(inner, Mapping) else content
    found = content.items() if isinstance(content, Mapping) else ()
    out = {k: v for k, v in found if isinstance(k, str) and isinstance(v, Tensor)}
    if not out:
        hint = "it must hold a checkpoint of xlm-spec, or a mapping from names to tensors"
        raise Failed(Diagnostic("X701", "the file holds no weights", hint, str(file)))
    return out


def load(model: torch.nn.Module, tensors: dict[str, Tensor], file: Path) -> list[str]:
    """Loads the tensors that fit; says which are new and which are not used.

    Raises Failed (X702) if no name fits, or if a tensor has another shape.
    """
    expected = model.state_dict()
    weights = renamed(tensors, set(expected))
    if not weights:
        message = "no name of the file is one of the model or of its backbone"
        hint = f"names of the file: {listed(tensors)}; of the model: {listed(expected)}"
        raise Failed(Diagnostic("X702", message, hint, str(file)))
    wrong = [k for k, (_, v) in weights.items() if v.shape != expected[k].shape]
    if wrong:
        shapes = (tuple(a) for a in (weights[wrong[0]][1].shape, expected[wrong[0]].shape))
        differs = "`{}` has shape {}, expected {}".format(wrong[0], *shapes)
        more = f"; and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        hint = "use the sizes of the file (backbone.*), or leave these tensors out of the file"
        message = f"the file does not match the model: {differs}{more}"
        raise Failed(Diagnostic("X702", message, hint, str(file)))
    model.load_state_dict({k: v for k, (_, v) in weights.items()}, strict=False)
    shared = {expected[k].data_ptr() for k in weights}  # of tied weights
    new = [k for k, v in expected.items() if k not in weights and v.data_ptr() not in shared]
    used = {name for name, _ in weights.values()}
    lines = [f"{file.name}: {len(weights)} of {len(expected)} tensors of the model loaded"]
    lines += [f"not in the file, so newly initialised: {listed(new)}"] if new else []
    unused = [k for k in tensors if k not in used]
    return [*lines, *([f"not used, of the file: {listed(unused)}"] if unused else [])]


def renamed(tensors: dict[str, Tensor], names: set[str]) -> dict[str, tuple[str, Tensor]]:
    """Name of the model -> name of the file and tensor, with the prefixes that fit most names."""
    parts = (k.split(".") for k in tensors)
    prefixes = {"".join(f"{p}." for p in key[:i]) for key in parts for i in range(min(len(key), 4))}
    best: dict[str, tuple[str, Tensor]] = {}
    for prefix in sorted(prefixes, key=len):
        for added in ADDED:
            given = ((k, v) for k, v in tensors.items() if k.startswith(prefix))
            found = {added + k.removeprefix(prefix): (k, v) for k, v in given}
            fits = {k: found[k] for k in found if k in names}
            best = fits if len(fits) > len(best) else best
    return best


def listed(names: Any) -> str:
    """The first names, and how many more."""
    first = [*names][:MOST]
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return f"{', '.join(first)}{more}"
