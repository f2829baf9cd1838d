"""The further processes of `eval` and `generate` on several devices. Imports nothing heavy."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from xlm_spec.diagnostics import Diagnostic, wants_colour
from xlm_spec.interrupts import held, release
from xlm_spec.runtime.machine import environment

GRACE = 10.0  # seconds in which the first process may end by itself
STOPPED = (0, 128 + signal.SIGINT, 128 + signal.SIGTERM)  # codes with which all end together
ending = environment.ending  # held while this process saves its state
CONNECTION_LOST = ("Connection closed by peer", "Connection reset", "Broken pipe", "NCCL")


@contextmanager
def started(words: list[str], devices: int, nodes: int | None) -> Iterator[None]:
    """Starts a process for each further device, unless torchrun or srun has (`--nodes`).

    `words`: the command of this process. Raises Failed (X602).
    """
    if nodes is not None:
        environment.join(nodes, devices)
    if devices == 1 or environment.launcher():
        yield
        return
    if environment.is_worker():
        environment.leave_with_parent()
        release(signal.SIGINT)  # it is started with it held
        yield
        return
    environment.begin()
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "WORLD_SIZE": str(devices)}
    os.environ |= place | rank(0)
    command = [sys.executable, *words[1:]]
    with held():
        workers = [subprocess.Popen(command, env=os.environ | rank(n)) for n in range(1, devices)]
    over = threading.Event()
    threading.Thread(target=end_with, args=(workers, over, (0,)), daemon=True).start()
    patience = 0.0
    try:
        yield
        patience = GRACE
    finally:
        over.set()
        for worker in workers:
            with suppress(subprocess.TimeoutExpired):
                worker.wait(patience)
            worker.kill()
        environment.end()


def rank(number: int) -> dict[str, str]:
    """The variables of a process of this machine, with the names of torchrun."""
    return {"RANK": str(number), "LOCAL_RANK": str(number)}


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def end_with(
    workers: list[subprocess.Popen], over: threading.Event, fine: tuple[int, ...], hint: str = ""
) -> None:
    """Ends this process, and the other workers, some time after one of them has failed.

    `fine`: the exit codes of those that have not.
    """
    while all(worker.poll() in (None, *fine) for worker in workers):
        if over.wait(1):
            return
    if over.wait(GRACE):  # usually the connection is lost, and that is reported
        return
    for worker in workers:
        worker.kill()
    ending.acquire()
    print(lost(hint).text(wants_colour(sys.stderr)), file=sys.stderr, flush=True)
    os._exit(1)


def lost(hint: str = "") -> Diagnostic:
    """X615; a process that fails prints its own message before."""
    hint = "; ".join(filter(None, ("its own message is above", hint)))
    return Diagnostic("X615", "another process of this command has ended", hint)


def is_lost(e: BaseException) -> bool:
    """Is the connection to another process lost?"""
    return any(words in str(e) for words in CONNECTION_LOST)
