"""Two processes on this machine, with the variables of torchrun."""

import multiprocessing
import os
import subprocess
from collections.abc import Callable
from typing import Any

from methods import ROOT
from warm_python import python

from xlm_spec.runtime.machine.processes import free_port, rank


def in_two_processes(function: Callable[[], Any], limit: float = 60) -> list[Any]:
    """What `function` returns in each, or the type of its exception. They are forked from this one.

    torch is imported in them, but they must not compute gradients if this process has.
    """
    context, port = multiprocessing.get_context("fork"), free_port()
    ends = [context.Pipe(duplex=False) for _ in range(2)]

    def begin(number: int) -> None:
        os.environ |= rank(number) | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        os.environ |= {"WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "pair"}
        try:
            found = function()
        except (Exception, SystemExit) as e:
            found = type(e)
        ends[number][1].send(found)
        os._exit(0)

    processes = [context.Process(target=begin, args=(n,)) for n in range(2)]
    try:
        for process in processes:
            process.start()
        for end, _ in ends:
            assert end.poll(limit)
        return [end.recv() for end, _ in ends]
    finally:
        for process in processes:
            process.kill()


def two_commands(*words: Any, limit: float = 120, **environment: str) -> list[tuple[int, str]]:
    """The exit code and stderr of two processes of `python -m WORDS --nodes 1 --devices 2`."""
    port = free_port()
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    given = os.environ | place | {"TORCHELASTIC_RUN_ID": "pair"} | environment
    command = [python(), "-m", *map(str, words), "--nodes", "1", "--devices", "2"]
    folder = ROOT / "generated" / str(words[0])
    both = [
        subprocess.Popen(
            command, cwd=folder, env=given | rank(n), stderr=subprocess.PIPE, text=True
        )
        for n in range(2)
    ]
    try:
        errors = [process.communicate(timeout=limit)[1] for process in both]
    finally:
        for process in both:
            process.kill()
    return [(p.returncode, e) for p, e in zip(both, errors, strict=True)]
