"""Environment variables that a run uses, or reports as ignored."""

import os
import sys
import threading
import time

from xlm_spec.diagnostics import Diagnostic, Failed

PARENT = "XLM_SPEC_PARENT"  # process id of the first process of a run on several devices
FOLDER = "XLM_SPEC_RUN"  # its run folder
LAUNCHER = "XLM_SPEC_LAUNCHER"  # what has started all processes of a run with --nodes
ending = threading.Lock()  # held while this process saves its state
RANKS = ("LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
STARTED = (  # launcher, a variable of the processes that it starts, that of their number
    ("torchrun", "TORCHELASTIC_RUN_ID", "WORLD_SIZE"),
    ("SLURM", "SLURM_PROCID", "SLURM_NTASKS"),
)
LAUNCHERS = {  # one variable that shows each launcher -> its name
    "SLURM_NTASKS": "SLURM",
    "TORCHELASTIC_RUN_ID": "torchrun",
    "OMPI_COMM_WORLD_SIZE": "MPI",
    "PMI_SIZE": "MPI",
    "LSB_JOBID": "LSF",
    "KUBERNETES_PORT": "",  # every pod sets it: not reported
}


def join(nodes: int, devices: int) -> None:
    """Makes this process one of a run that torchrun or srun has started on all nodes.

    Raises Failed (X602) if neither has, or if it has started another number of processes.
    """
    found = [(name, size) for name, sign, size in STARTED if sign in os.environ]
    if not found:
        hint = "start it by torchrun or srun, or leave out --nodes on one machine"
        raise Failed(Diagnostic("X602", "--nodes requires a launcher", hint))
    name, size = found[0]
    started = int(os.environ.get(size, "1"))
    if started != nodes * devices:
        message = f"--nodes {nodes} and --devices {devices} require {nodes * devices} processes"
        raise Failed(Diagnostic("X602", f"{message}, but {name} has started {started}"))
    os.environ[LAUNCHER] = name


def launcher() -> str:
    """What has started the processes of this run: torchrun, SLURM, or "" if the run itself has."""
    return os.environ.get(LAUNCHER, "")


def is_worker() -> bool:
    """True in all processes of a run but the first.

    `LOCAL_RANK` alone does not decide: a shell, torchrun or a scheduler may set it, and Lightning
    sets it in the first process too. Another xlm-spec process must have started the run, or
    `--nodes` says that a launcher has.
    """
    if launcher():
        number = "RANK" if launcher() == "torchrun" else "SLURM_PROCID"
        return int(os.environ[number]) > 0
    parent = os.environ.get(PARENT, str(os.getpid()))
    return "LOCAL_RANK" in os.environ and parent != str(os.getpid())


def leave_with_parent() -> None:
    """Ends this worker as soon as the first process of its run is gone.

    Otherwise the worker would wait for it for half an hour.
    """

    def gone() -> bool:
        return os.environ.get(PARENT) != str(os.getppid())

    def watch() -> None:
        while not gone():
            time.sleep(1)
        time.sleep(1)  # the connection is lost: time to begin to save
        ending.acquire()
        os._exit(1)

    if gone():
        sys.exit("the first process of this run has ended")
    threading.Thread(target=watch, daemon=True).start()


def begin(folder: str = "") -> None:
    """Prepares the environment of the first process of a run, which its workers inherit.

    Rank variables of other launchers are removed: a run starts its own processes (`--devices`).
    """
    if launcher():
        return
    launchers = dict.fromkeys(name for key, name in LAUNCHERS.items() if key in os.environ)
    removed = [key for key in RANKS if os.environ.pop(key, None) is not None]
    ignored = [f"the task layout of {name}" for name in launchers if name]
    ignored += [f"`{key}`" for key in removed]
    if ignored:
        line = f"ignored from the environment: {', '.join(ignored)}"
        more = "--devices N starts N processes on this machine; --nodes uses those of the launcher"
        print(f"{line}; {more}", file=sys.stderr)
    os.environ[FOLDER], os.environ[PARENT] = folder, str(os.getpid())


def end() -> None:
    """Removes what `begin` and Lightning's launcher set."""
    if launcher():
        return
    for key in (FOLDER, PARENT, *RANKS):
        os.environ.pop(key, None)


def use_threads(threads: int) -> int:
    """Sets the number of CPU threads of this process and its workers, and returns it.

    `threads` 0 means `OMP_NUM_THREADS`, or one if that is not set. One is the default because the
    threads of an operation wait for each other: on busy cores two threads can be many times slower
    than one. An equal number of threads also gives equal sums, so a run repeats on a machine with
    a different number of cores.
    """
    import torch

    variable = os.environ.get("OMP_NUM_THREADS", "")
    number = threads or (int(variable) if variable.isdigit() and int(variable) else 1)
    torch.set_num_threads(number)
    os.environ["OMP_NUM_THREADS"] = str(number)  # otherwise Lightning sets it for the workers
    return number
