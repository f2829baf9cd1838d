"""The workflow `push`: an export in a repository of the Hugging Face hub."""

import re
import sys
import tempfile
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.config.hub_ids import repository
from xlm_spec.runtime.weights.hub import LOGIN, endpoint, failures, library
from xlm_spec.runtime.weights.pretrained import CONFIG, WEIGHTS, WORDS

PROJECT = "pyproject.toml"  # of an export; lists its modules
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
BESIDE = (CONFIG, WEIGHTS, WORDS, PROJECT, "README.md", "spec.yaml", *TOKENIZER)  # the modules
LICENCES = ("LICENSE", "LICENSE.md", "LICENSE.txt")  # which its author may add
NEW = (".gitattributes", "README.md", *LICENCES)  # files of a repository without a model


def push(package, data, train, args) -> None:
    """Writes an export to the hub, in one commit; prints its address.

    Raises Failed: X508, X630-X633, X701, X702.
    """
    from xlm_spec.runtime.publish.export import write_export
    from xlm_spec.runtime.weights.load_model import load_model

    name, token = repository(args.to), require_token(args.to)
    if args.source is not None:
        print(upload(args.source, name, args.private, token))
        return
    with tempfile.TemporaryDirectory(prefix="xlm-spec-export-") as folder:
        write_export(load_model(package, data, train, args), Path(folder), name)
        print(upload(Path(folder), name, args.private, token))


def require_token(name: str) -> str:
    """The access token of the user. Raises Failed: X508, X631."""
    hub = library()
    with failures(name):
        token = hub.get_token()
    if not token:
        raise Failed(Diagnostic("X631", "there is no access token for the hub", LOGIN))
    return token


def upload(folder: Path, name: str, private: bool, token: str) -> str:
    """Makes the export in a repository that in a folder; returns its address.

    Other files of the folder and of the repository stay where they are. Raises Failed: X630, of a
    folder without an export, X632, of a repository with other files and without one.
    """
    hub = library()
    paths = {f: folder / f for f in files_of(folder)}
    others = sorted(f.name for f in folder.iterdir() if f.name not in {*paths, "__pycache__"})
    if others:
        print(f"not pushed: files that no export has, {', '.join(others)}", file=sys.stderr)
    api = hub.HfApi(endpoint=endpoint(), token=token)
    with failures(name):
        address = api.create_repo(name, private=private or None, exist_ok=True)
        present = {*api.list_repo_files(name)}
        require_export_in(name, present)
        written = {*modules_in(downloaded(api, name, present))}
        old = (written | {"spec.yaml", *TOKENIZER}) & present - {*paths}
        operations: list[Any] = [hub.CommitOperationDelete(path) for path in sorted(old)]
        operations += [hub.CommitOperationAdd(path, file) for path, file in paths.items()]
        api.create_commit(name, operations, commit_message="Export of xlm-spec")
    return str(address)


def files_of(folder: Path) -> list[str]:
    """The files of an export. Raises Failed (X630) without one."""
    from xlm_spec.runtime.weights.exported import is_export, settings_in

    project = folder / PROJECT
    if not is_export(folder) or not project.is_file() or settings_in(folder) is None:
        message = "the folder holds no export"
        raise Failed(Diagnostic("X630", message, "write one with `export`", str(folder)))
    listed = modules_in(project.read_text(encoding="utf-8", errors="replace"))
    return sorted(f for f in {*listed, *BESIDE, *LICENCES} if (folder / f).is_file())


def modules_in(project: str) -> list[str]:
    """The modules that the pyproject.toml of an export lists."""
    with suppress(tomllib.TOMLDecodeError, KeyError, TypeError):
        wheel = tomllib.loads(project)["tool"]["hatch"]["build"]["targets"]["wheel"]
        return [f for f in wheel["only-include"] if re.fullmatch(r"[A-Za-z_]\w*\.py", str(f))]
    return []


def require_export_in(name: str, present: set[str]) -> None:
    """Raises Failed (X632) if a repository has files and no export."""
    missing = {CONFIG, WEIGHTS, WORDS, PROJECT, "pretrained.py"} - present
    others = sorted(present - {*NEW})
    if missing and others:
        listed = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
        message = f"`{name}` holds other files, and no export of xlm-spec: {listed}"
        raise Failed(Diagnostic("X632", message, "push to another repository, or to a new one"))


def downloaded(api: Any, name: str, present: set[str]) -> str:
    """The pyproject.toml of a repository, "" without one."""
    if PROJECT not in present:
        return ""
    with tempfile.TemporaryDirectory(prefix="xlm-spec-hub-") as folder:
        file = api.hf_hub_download(name, PROJECT, local_dir=folder)
        return Path(file).read_text(encoding="utf-8", errors="replace")
