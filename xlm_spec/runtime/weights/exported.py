"""The settings of a run in the config.json of an export; an export as a checkpoint."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

import yaml

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.config.settings import NAMES, Train
from xlm_spec.runtime.weights.pretrained import CONFIG, WEIGHTS, WORDS, read_safetensors

SETTINGS = "xlm_spec"
FOLDER = re.compile(r"(?<![\w.:/\\])(~|[A-Za-z]:)?[/\\][\w. -]+[/\\]")  # of this machine, in a text
HEAD = ("package", "task", "size")  # stored beside the sections of settings
UNUSED = ("init", "teacher", "injected")  # of a run, which its trained model does not need
CODE = ("train.optimizer", "train.lr_schedule")  # stored if xlm-spec ships what they name


def is_export(folder: Path) -> bool:
    """Has a folder the files of an export? Other models have no words.json."""
    return all((folder / name).is_file() for name in (CONFIG, WEIGHTS, WORDS))


def settings_in(folder: Path) -> Mapping | None:
    """The stored settings in the config.json of a folder; None without any."""
    try:
        found = json.loads((folder / CONFIG).read_text(encoding="utf-8"))[SETTINGS]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, Mapping) else None


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
            if name in UNUSED:
                continue
            if str(key).isidentifier() and isinstance(value, Mapping) and name not in NAMES:
                out[key] = visit(value, path)
            elif str(key).isidentifier() and is_kept(path, value):
                out[key] = value
            elif value and not is_shipped(name, value):
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
    outside = isinstance(node, str) and node.startswith(("~", "../"))
    if isinstance(node, str) and (outside or is_absolute(node)):
        return PureWindowsPath(node).name
    return node


def is_absolute(path: str) -> bool:
    return path.startswith("/") or PureWindowsPath(path).is_absolute()


def published_spec(home: Path) -> str:
    """The text of the spec of a package, "" without one.

    Without the code that `train` and `data` name, its options, and the folders of this machine; if
    there are any, without comments too.
    """
    file = home / "spec.yaml"
    text = file.read_text(encoding="utf-8-sig") if file.is_file() else ""
    content = yaml.safe_load(text)
    if not isinstance(content, Mapping):
        return ""
    clean = without_folders(of_spec(content))
    if clean == content and not FOLDER.search(text):
        return text
    return yaml.safe_dump(clean, sort_keys=False, default_flow_style=None, allow_unicode=True)


def of_spec(node: Mapping, before: str = "") -> dict[str, Any]:
    """The keys of a spec that an export has."""
    out = {}
    for key, value in node.items():
        name = f"{before}{key}"
        if is_in_spec(name, value):
            out[key] = of_spec(value, f"{name}.") if isinstance(value, Mapping) else value
    return out


def is_in_spec(name: str, value: Any) -> bool:
    """Does the spec of an export have the key of that dotted name?"""
    section, _, setting = name.partition(".")
    code = next((k for k in NAMES if name == k or name.startswith(f"{k}.")), "")
    if code:
        return code in CODE and (name != code or is_shipped(name, value))
    return section != "train" or setting.partition(".")[0] in ("", *Train.__dataclass_fields__)


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
