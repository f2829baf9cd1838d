"""The Hugging Face hub: downloads of checkpoints, its library and its errors.

`HF_ENDPOINT` names another server. A checkpoint is read as data: no code of a repository is run.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed, first_line
from xlm_spec.runtime.config.hub_ids import PREFIX, is_hub, parsed
from xlm_spec.runtime.weights.pretrained import CONFIG, WEIGHTS, WORDS

LIBRARIES = ("huggingface_hub", "hf_xet", "httpx", "requests")  # whose exceptions are reported
NETWORK = (ConnectionError, TimeoutError)  # the kinds of OSError that are not of the disk
REJECTED = (400, 409, 413, 422)  # status codes of an answer that no later attempt changes
LOGIN = "run `hf auth login`, or set HF_TOKEN; tokens: https://huggingface.co/settings/tokens"


def pinned(source: str) -> str:
    """A checkpoint of the hub with the revision that it has now; any other source as it is.

    Downloads it. Raises Failed: X508, X631-X633.
    """
    if not source or not is_hub(Path(source)):
        return source
    name, _ = parsed(Path(source))
    return f"{PREFIX}{name}@{local(Path(source)).name}"


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
