"""The settings of a run in the config.json of an export; an export as a checkpoint."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime import choices
from xlm_spec.runtime.pretrained import CONFIG, WEIGHTS, WORDS, read_safetensors
from xlm_spec.runtime.resolve_config import Run
from xlm_spec.runtime.settings import NAMES

SETTINGS = "xlm_spec"


def is_export(folder: Path) -> bool:
    """Has a folder the files of an export? Other models have no words.json."""
    return all((folder / name).is_file() for name in (CONFIG, WEIGHTS, WORDS))


def stored(run: Run) -> dict[str, Any]:
    """The settings of a run for an export, without the folders of this machine."""
    return without_folders(run.as_dict())


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


def without_code(settings: dict) -> dict:
    """Settings without the code of others that they name: an export of a stranger runs none.

    Only `data.metrics` matters to a trained model. Loaders of other data go as a whole, since their
    tasks are files of the author. Prints what is left out.
    """
    loaders = settings.get("data", {}).pop("loaders", ())
    left_out = [str(loader.get("task", loader["kind"])) for loader in loaders]
    for key, names in NAMES.items():
        section, _, name = key.partition(".")
        value = settings.get(section, {}).pop(name, ())
        values = value if isinstance(value, tuple) else (value,)
        known = tuple(v for v in values if choices.kind_of(v) in names)
        left_out += [choices.kind_of(v) for v in values if v not in known]
        if known:
            settings[section][name] = known if isinstance(value, tuple) else known[0]
    if left_out:
        print(f"not used: code that the export names, {', '.join(left_out)}", file=sys.stderr)
    return settings | {"injected": {}}


def with_tuples(settings: Mapping) -> dict:
    """Settings with the tuples that JSON stores as lists; the options of a choice stay lists."""

    def read(value: Any) -> Any:
        if isinstance(value, Mapping) and "kind" not in value:
            return with_tuples(value)
        return tuple(value) if isinstance(value, list) else value

    return {k: read(v) for k, v in settings.items()}
