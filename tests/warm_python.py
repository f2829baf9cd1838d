"""A `python` and an `xlm-spec` that start with torch and Lightning already imported.

Each command is a process of its own, forked from a server that has imported the libraries but
nothing of this repository: a command of a second takes a second, not five. For tests of what a
command does. Tests of how a process starts (without torch, with another encoding, from a wheel)
use `sys.executable`.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import io
import json
import os
import runpy
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import types
from pathlib import Path

LIBRARIES = [
    *("click", "jinja2", "jsonschema", "ruamel.yaml", "yaml", "copier", "dulwich.repo"),
    *("torch", "torchmetrics", "lightning.pytorch", "datasets", "tensorboard.summary"),
    *("torch.utils.tensorboard", "torch.utils.flop_counter", "tokenizers", "pytest"),
]
HERE = Path(__file__).parent
BACKSLASHES = "backslashreplace"
NEEDED = (os, "pidfd_open"), (socket, "send_fds")  # Linux


@functools.cache
def bin_folder() -> Path:
    """A folder with `python` and `xlm-spec`; the server ends with this process."""
    cold = Path(sys.executable).parent
    if not all(hasattr(*name) for name in NEEDED):
        return cold
    temporary = tempfile.TemporaryDirectory(prefix="warm-")
    folder = Path(temporary.name)
    client = [sys.executable, "-IS", HERE / "warm_client.py", folder / "socket", sys.executable]
    for name, more in (("python", []), ("xlm-spec", [cold / "xlm-spec"])):
        line = shlex.join(map(str, [*client, *more]))
        (folder / name).write_text(f'#!/bin/sh\nexec {line} "$@"\n')
        (folder / name).chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    server = subprocess.Popen(
        [sys.executable, HERE / "warm_python.py", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        cwd=folder,
        start_new_session=True,  # Ctrl-C is for the tests
    )
    atexit.register(temporary.cleanup)
    atexit.register(server.communicate)  # closes its stdin
    assert server.stdout.readline() == b"ready\n"
    return folder


def python() -> str:
    """The path of the `python`."""
    return str(bin_folder() / "python")


# ---- the server ----------------------------------------------------------------------------------


def serve(folder: Path) -> None:
    """Forks a process for each request until stdin is closed."""
    sys.path.remove(str(HERE))
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # so that forks share these pages
    selector, clients = selectors.DefaultSelector(), {}
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket"))
    listener.listen()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(0, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                client, _ = listener.accept()
                pid = forked(client, folder)
                clients[client] = pid
                selector.register(client, selectors.EVENT_READ)
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (client, pid))
            elif key.fileobj == 0:  # the tests have ended
                for pid in clients.values():
                    os.kill(pid, signal.SIGKILL)
                return
            elif key.data is None:  # the client was killed, and so is its process
                selector.unregister(key.fileobj)
                os.kill(clients[key.fileobj], signal.SIGKILL)
            else:
                client, pid = key.data
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                selector.unregister(key.fd)
                os.close(key.fd)
                if client in selector.get_map():
                    selector.unregister(client)
                    with contextlib.suppress(BrokenPipeError):
                        client.sendall(f"{status}\n".encode())
                client.close()
                del clients[client]


def forked(client: socket.socket, folder: Path) -> int:
    """The process of a request."""
    data, files, *_ = socket.recv_fds(client, 1 << 20, 3)
    while not data.endswith(b"\n"):
        data += client.recv(1 << 20)
    pid = os.fork()
    if pid == 0:
        client.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        run(folder, **json.loads(data))
    for file in files:
        os.close(file)
    client.sendall(f"{pid}\n".encode())
    return pid


def run(folder: Path, words: list[str], parent: int, cwd: str, environment: dict[str, str]) -> None:
    """What `python WORDS` does, and its end."""
    code = 1
    try:
        prepare(folder, parent, cwd, environment)
        execute(*words)
        code = 0
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else int(e.code is not None)
        if e.code is not None and not isinstance(e.code, int):
            print(e.code, file=sys.stderr)
    except KeyboardInterrupt:
        traceback.print_exc()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        traceback.print_exc()
    try:
        threading._shutdown()  # waits for threads
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code & 0xFF)


def prepare(folder: Path, parent: int, cwd: str, environment: dict[str, str]) -> None:
    """The state of a new interpreter."""
    os.getppid = lambda: parent if os.path.exists(f"/proc/{parent}") else 1  # not the server
    os.closerange(3, 1 << 10)  # of the server
    os.setpgid(0, 0)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    encoding, _, errors = environment.get("PYTHONIOENCODING", "").partition(":")
    encoding = encoding or sys.stdout.encoding
    errors = errors or ("strict" if "PYTHONIOENCODING" in environment else sys.stdout.errors)
    streams = (("stdin", "rb", errors), ("stdout", "wb", errors), ("stderr", "wb", BACKSLASHES))
    for number, (name, mode, on_error) in enumerate(streams):
        raw = os.fdopen(number, mode, closefd=False)
        lines = name == "stderr" or raw.isatty()
        text = io.TextIOWrapper(raw, encoding, on_error, line_buffering=lines)
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)
    sys.executable = str(folder / "python")
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    importlib.invalidate_caches()
    tempfile.tempdir = None
    threads = environment.get("OMP_NUM_THREADS") or os.cpu_count()
    sys.modules["torch"].set_num_threads(int(threads))


def execute(first: str, *words: str) -> None:
    """`-m NAME ...`, `-c CODE ...`, or the path of a script."""
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    if first == "-m":
        sys.argv = list(words)
        sys.path.insert(0, os.getcwd())
        runpy._run_module_as_main(words[0])
        return
    sys.argv = [first, *words]
    if first == "-c":
        source, name = words[0], "<string>"
        sys.argv = ["-c", *words[1:]]
        sys.path.insert(0, "")
    else:
        source, name = Path(first).read_text(), first
        sys.path.insert(0, str(Path(first).resolve().parent))
        main.__file__ = first
    exec(compile(source, name, "exec"), main.__dict__)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
