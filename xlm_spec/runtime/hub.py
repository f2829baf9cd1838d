"""The Hugging Face hub: `push`, and checkpoints `hf:USER/NAME[@REVISION]`.

`HF_ENDPOINT` names another server. A checkpoint is read as data: no code of a repository is run.
"""

import os
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed, first_line
from xlm_spec.runtime.pretrained import CONFIG, WEIGHTS, WORDS

PREFIX = "hf:"
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
PROJECT = "pyproject.toml"  # of an export; lists its modules
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
BESIDE = (CONFIG, WEIGHTS, WORDS, PROJECT, "README.md", "spec.yaml", *TOKENIZER)  # the modules
LICENCES = ("LICENSE", "LICENSE.md", "LICENSE.txt")  # which its author may add
NEW = (".gitattributes", "README.md", *LICENCES)  # files of a repository without a model
LIBRARIES = ("huggingface_hub", "hf_xet", "httpx", "requests")  # whose exceptions are reported
NETWORK = (ConnectionError, TimeoutError)  # the kinds of OSError that are not of the disk
REJECTED = (400, 409, 413, 422)  # status codes of an answer that no later attempt changes
LOGIN = "run `hf auth login`, or set HF_TOKEN; tokens: https://huggingface.co/settings/tokens"


def is_hub(source: Path) -> bool:
    return source.as_posix().startswith(PREFIX)


def absolute(source: Path) -> Path:
    """The absolute path of a checkpoint; a name on the hub as it is."""
    return source if is_hub(source) else source.resolve()


def pinned(source: str) -> str:
    """A checkpoint of the hub with the revision that it has now; any other source as it is.

    Downloads it. Raises Failed: X508, X631-X633.
    """
    if not source or not is_hub(Path(source)):
        return source
    name, _ = parsed(Path(source))
    return f"{PREFIX}{name}@{local(Path(source)).name}"


def parsed(source: Path) -> tuple[str, str | None]:
    """The repository and the revision. Raises Failed (X632)."""
    name, _, revision = source.as_posix().removeprefix(PREFIX).partition("@")
    return repository(name), revision or None


def repository(name: str) -> str:
    """Raises Failed (X632) unless it is USER/NAME."""
    if not REPOSITORY.fullmatch(name):
        message = f"`{name}` is not the name of a repository"
        raise Failed(Diagnostic("X632", message, "write USER/NAME, e.g. alice/mdlm-star"))
    return name


def local(source: Path) -> Path:
    """The folder of an export on the hub, from the cache or downloaded.

    Raises Failed: X508, X631-X633.
    """
    name, revision = parsed(source)
    hub = library()
    with failures(name):
        folder = hub.snapshot_download(
            name,
            revision=revision,
            allow_patterns=[CONFIG, WEIGHTS, WORDS],
            endpoint=endpoint(),
        )
    missing = [f for f in (CONFIG, WEIGHTS, WORDS) if not (Path(folder) / f).is_file()]
    if missing:
        message = f"`{name}` holds no export of xlm-spec: {', '.join(missing)} is missing"
        hint = "push one with `python -m NAME push`; --init also reads a downloaded state dict"
        raise Failed(Diagnostic("X632", message, hint))
    return Path(folder)


def push(package, data, train, args) -> None:
    """Writes an export to the hub, in one commit; prints its address.

    Raises Failed: X508, X630-X633, X701, X702.
    """
    from xlm_spec.runtime.export import write_export
    from xlm_spec.runtime.load_model import load_model

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
    from xlm_spec.runtime.exported import is_export, settings_in

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


def library() -> Any:
    """huggingface_hub, without its progress bars where stderr is no terminal. Raises X508."""
    try:
        import huggingface_hub
    except ImportError:
        message = "the hub requires the library huggingface_hub"
        raise Failed(Diagnostic("X508", message, "pip install 'xlm-spec[hub]'")) from None
    if not sys.stderr.isatty():
        huggingface_hub.utils.disable_progress_bars()
    return huggingface_hub


def endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None


@contextmanager
def failures(name: str) -> Iterator[None]:
    """Errors of the library as diagnostics: X631 access, X632 repository, X633 connection."""
    try:
        yield
    except Exception as e:
        known = isinstance(e, ValueError | RuntimeError | OSError)  # hf_xet raises the last two
        known = known or type(e).__module__.startswith(LIBRARIES)
        of_disk = isinstance(e, OSError) and e.strerror and not isinstance(e, NETWORK)
        if not known or of_disk:  # main reports those of the disk
            raise
        raise failed(name, e) from None


def failed(name: str, e: BaseException) -> Failed:
    """The diagnostic of an error of the library."""
    from huggingface_hub import errors

    if isinstance(e, errors.LocalEntryNotFoundError) and e.__cause__:
        e = e.__cause__
    status = getattr(getattr(e, "response", None), "status_code", None)
    said = getattr(e, "server_message", None) or first_line(e)
    if isinstance(e, errors.RevisionNotFoundError):
        message = f"`{name}` has no such revision on the hub"
        return Failed(Diagnostic("X632", message, "write hf:USER/NAME, or another @REVISION"))
    if status == 404 or (isinstance(e, errors.RepositoryNotFoundError) and status != 403):
        message = f"the hub has no repository `{name}`, or hides it from you"
        return Failed(Diagnostic("X632", message, f"check the name; if it is private, {LOGIN}"))
    if status in (401, 403):
        message = f"the hub denies access to `{name}`: {said}"
        return Failed(Diagnostic("X631", message, LOGIN))
    if status in REJECTED or isinstance(e, ValueError):
        return Failed(Diagnostic("X632", f"the hub rejects the request for `{name}`: {said}"))
    server = endpoint() or "https://huggingface.co"
    what = f"the hub fails for `{name}` ({status})" if status else f"no answer for `{name}`"
    message = f"{what}: {said}"
    return Failed(Diagnostic("X633", message, f"check the connection to {server}, and try again"))
