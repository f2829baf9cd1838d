"""The entries of `data.metrics`, `data.loaders` and `train.predictions`, beyond the schema."""

import re
from collections.abc import Iterator, Sequence

from xlm_spec.compiler import runtime_settings
from xlm_spec.compiler.frontend.errors import in_words
from xlm_spec.compiler.frontend.load import Document, Path_
from xlm_spec.compiler.frontend.setting_forms import CODE
from xlm_spec.compiler.frontend.synonyms import code_allowed
from xlm_spec.diagnostics import Diagnostic, alternatives

OWN = "task"  # the loader of the run's own task
WORDS = {str: "a string", int: "an integer of at least 0", dict: "a mapping"}


def entries(doc: Document) -> Iterator[Diagnostic]:
    """Each key of an entry has a value of the right type, and names what there is."""
    yield from loaders_without_data(doc)
    for setting, keys in runtime_settings.entry_keys().items():
        for path, entry in entries_at(doc, tuple(setting.split("."))):
            for key, allowed in keys.items():
                if key in entry:
                    yield from wrong(doc, (*path, key), allowed)


def entries_at(doc: Document, path: Path_) -> list[tuple[Path_, dict]]:
    """The entries with options of a list, or the only one without a list."""
    value = doc.at(path)
    found = [((*path, i), v) for i, v in enumerate(value)] if isinstance(value, list) else []
    return [(p, v) for p, v in found or [(path, value)] if isinstance(v, dict)]


def wrong(doc: Document, path: Path_, allowed: object) -> Iterator[Diagnostic]:
    """What is wrong with a value; `allowed`: names, or a value of the right type."""
    value, kind = doc.at(path), type(allowed)
    if isinstance(allowed, list | tuple):
        names = [*allowed] or [OWN, *loaders(doc)]
        each = [((*path, i), v) for i, v in enumerate(value)] if isinstance(value, list) else []
        one = path[-1] == "split"
        for where, name in [(path, value)] if one or not isinstance(value, list) else each:
            yield from unknown(doc, where, name, names)
        if value == []:
            message = f"`{dotted(path)}` is an empty list"
            yield doc.diagnostic("X104", message, path, alternatives("", names))
    elif type(value) is not kind or (isinstance(value, int) and value < 0):
        message = f"`{dotted(path)}` must be {WORDS[kind]}, not {in_words(value)}"
        yield doc.diagnostic("X104", message, path)


def unknown(doc: Document, path: Path_, name: object, names: Sequence[str]) -> Iterator[Diagnostic]:
    """A name that is none of these, nor the path of code where code is allowed."""
    text = isinstance(name, str)
    code = "fields" in path
    if (text and name in names) or (text and code and re.search(CODE, str(name))):
        return
    word = str(name) if text else ""
    hint = code_allowed(names, word) if code else alternatives(word, names)
    yield doc.diagnostic("X105", f"invalid value {in_words(name)} for `{dotted(path)}`", path, hint)


def loaders_without_data(doc: Document) -> Iterator[Diagnostic]:
    """Loaders without a name, or of a task that does not exist; the file of a task is not read."""
    hint, where, tasks = "add `name: NAME`", ("data", "loaders"), runtime_settings.tasks()
    plain = doc.at(where)
    for i, name in enumerate(plain if isinstance(plain, list) else [plain]):
        if isinstance(name, str):
            message = f"`data.loaders` requires a name for the loader `{name}`"
            form = f"write {{kind: {name}, name: NAME}}"
            yield doc.diagnostic("X103", message, (*where, i), form)
    for path, entry in entries_at(doc, where):
        if "name" not in entry:
            yield doc.diagnostic("X103", f"missing key `name` in `{dotted(path)}`", path, hint)
        task = entry.get("task", "")
        if isinstance(task, str) and task not in ("", *tasks) and not task.endswith(".py"):
            message = f"`{dotted((*path, 'task'))}`: unknown task {in_words(task)}"
            allowed = alternatives(task, tasks)
            yield doc.diagnostic("X105", message, (*path, "task"), allowed)


def loaders(doc: Document) -> list[str]:
    """The names of the loaders that a spec adds."""
    found = (e.get("name") for _, e in entries_at(doc, ("data", "loaders")))
    return [name for name in found if isinstance(name, str)]


def dotted(path: Path_) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)[1:]
