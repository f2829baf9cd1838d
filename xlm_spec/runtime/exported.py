"""The settings of a run in the config.json of an export; an export as a checkpoint."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.pretrained import CONFIG, WEIGHTS, WORDS, read_safetensors
from xlm_spec.runtime.resolve_config import Run
from xlm_spec.runtime.settings import NAMES, Train

SETTINGS = "xlm_spec"
HEAD = ("package", "task", "size")  # stored beside the sections of settings
UNUSED = ("init", "teacher", "injected")  # of a run, which its trained model does not need
CODE = ("train.optimizer", "train.lr_schedule")  # stored if xlm-spec ships what they name


def is_export(folder: Path) -> bool:
    """Has a folder the files of an export? Other models have no words.json."""
    return all((folder / name).is_file() for name in (CONFIG, WEIGHTS, WORDS))


def stored(run: Run) -> dict[str, Any]:
    """The settings of a run for an export, without the folders of this machine."""
    return without_folders(kept(run.as_dict())[0])


def kept(settings: Mapping) -> tuple[dict[str, Any], list[str]]:
    """The settings that a trained model needs, and the names of the others that have a value.

    An allow-list, for what is published and for what is read: names of identifiers, plain values,
    and of the settings whose value is code those of CODE with a name that xlm-spec ships.
    """
    dropped: list[str] = []

    def visit(node: Mapping, before: tuple) -> dict[str, Any]:
        out = {}
        for key, value in node.items():
            path = (*before, str(key))
            name = ".".join(path)
            if str(key).isidentifier() and isinstance(value, Mapping) and name not in NAMES:
                out[key] = visit(value, path)
            elif str(key).isidentifier() and is_kept(path, value):
                out[key] = value
            elif value and not is_shipped(name, value) and path[0] not in UNUSED:
                dropped.append(name)
        return out

    return visit(settings, ()), dropped


def is_kept(path: tuple[str, ...], value: Any) -> bool:
    """Does an export store the setting of that name with that value?"""
    name = ".".join(path)
    if len(path) == 1:
        is_module = name != "package" or str(value).isidentifier()
        return name in HEAD and isinstance(value, str) and is_module
    if name in NAMES:
        return name in CODE and is_shipped(name, value)
    if path[0] == "train":
        return len(path) == 2 and path[1] in Train.__dataclass_fields__ and is_plain(value)
    return is_plain(value)


def is_shipped(name: str, value: Any) -> bool:
    """Is a value of a setting of NAMES one of its names, with plain options?"""
    names = NAMES.get(name, {})
    if isinstance(value, Mapping):
        plain = all(map(is_plain, value.values()))
        return name in CODE and plain and is_shipped(name, value.get("kind"))
    return isinstance(value, str) and value in names


def is_plain(value: Any) -> bool:
    """Numbers, booleans, text, and lists of these."""
    values = value if isinstance(value, list | tuple) else [value]
    return all(isinstance(v, str | int | float) for v in values)


def without_folders(node: Any) -> Any:
    """`/home/me/words.txt` -> `words.txt`, at any depth."""
    if isinstance(node, Mapping):
        return {without_folders(k): without_folders(v) for k, v in node.items()}
    if isinstance(node, list | tuple):
        return [without_folders(v) for v in node]
    if isinstance(node, str) and Path(node).is_absolute():
        return Path(node).name
    return node


def content(folder: Path) -> dict[str, Any]:
    """An export with the keys of a checkpoint. Raises Failed (X701)."""
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        words = json.loads((folder / WORDS).read_text(encoding="utf-8"))
        weights = read_safetensors(folder / WEIGHTS)
        settings = without_code(with_tuples(config[SETTINGS]))
        step, data = config["global_step"], config["data_digests"]
        if not {"task", "vocab"} <= set(settings):
            raise KeyError("task, vocab")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as e:
        reason = getattr(e, "strerror", None) or f"{type(e).__name__}: {e}"
        message = f"cannot read the export: {reason}"
        raise Failed(Diagnostic("X701", message, file=str(folder))) from None
    return {
        "state_dict": {f"model.{k}": v for k, v in weights.items()},
        SETTINGS: settings,
        "words": words,
        "global_step": step,
        "data": data,
        "exported": True,
    }


def without_code(settings: Mapping) -> dict:
    """Settings without the code that they name: an export of a stranger runs none.

    Prints the settings that are left out.
    """
    found, dropped = kept(settings)
    if dropped:
        print(f"not used: settings that no export has, {', '.join(dropped)}", file=sys.stderr)
    return found


def with_tuples(settings: Mapping) -> dict:
    """Settings with the tuples that JSON stores as lists; the options of a choice stay lists."""

    def read(value: Any) -> Any:
        if isinstance(value, Mapping) and "kind" not in value:
            return with_tuples(value)
        return tuple(value) if isinstance(value, list) else value

    return {k: read(v) for k, v in settings.items()}
