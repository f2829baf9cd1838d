"""The devices that share an evaluation or a generation, and what their processes exchange."""

import io
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, islice
from typing import Any, TypeVar

import torch
from lightning.fabric.plugins.environments import (
    ClusterEnvironment,
    SLURMEnvironment,
    TorchElasticEnvironment,
)
from torch import distributed

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.machine.environment import launcher
from xlm_spec.runtime.machine.processes import is_lost, lost

T = TypeVar("T")
LONGEST = timedelta(days=1)  # that a process waits for another one


class Shortage:
    """Sent instead of a value: memory is short on a device."""


class ShortElsewhere(MemoryError):
    """Memory is short on another device."""


@dataclass(frozen=True)
class Devices:
    """This process among `world`, one for each device. Batches are dealt out in turn."""

    rank: int = 0
    world: int = 1

    def gathered(self, value: T) -> list[T]:
        """The value of each device. All must call this.

        Raises ShortElsewhere if another device calls `shortage` instead; Failed (X615).
        """
        if self.world == 1:
            return [value]
        found: list[Any] = [None] * self.world
        try:
            distributed.all_gather_object(found, value)
        except RuntimeError as e:
            if not is_lost(e):
                raise
            if self.rank:
                raise SystemExit(1) from None  # the first process reports it
            raise Failed(lost()) from None
        if any(isinstance(f, Shortage) for f in found) and not isinstance(value, Shortage):
            raise ShortElsewhere
        return found

    def shortage(self) -> None:
        """Raises ShortElsewhere on the other devices, when they next wait for this one."""
        self.gathered(Shortage())

    def in_order(self, values: list[T]) -> list[T]:
        """The values for all batches, in their order; `values`: for those of this device."""
        every = self.gathered(values)  # the first device has the most
        return [v for i in range(len(every[0])) for own in every for v in own[i : i + 1]]

    def each_in_order(self, values: Iterator[T]) -> Iterator[T]:
        """The same of values that are computed one by one."""
        while any(found := self.gathered([*islice(values, 1)])):
            yield from chain(*found)

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """The other devices begin when the first one has ended, which may fill a cache."""
        if self.rank:
            self.gathered(None)
        yield
        if not self.rank:
            self.gathered(None)


def devices_of(devices: int, nodes: int | None) -> Devices:
    """The place of this process. Raises Failed (X602)."""
    world = devices * (nodes or 1)
    if world == 1:
        return Devices()
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else devices
    if devices > gpus:
        raise Failed(Diagnostic("X602", f"--devices {devices}, but this machine has {gpus}"))
    at = cluster()
    if torch.cuda.is_available():
        torch.cuda.set_device(at.local_rank())
    return Devices(at.global_rank(), world)


def cluster() -> ClusterEnvironment:
    """How this process finds the others, which srun, torchrun or `processes.started` started."""
    if launcher() == "SLURM":
        return SLURMEnvironment(auto_requeue=False)
    return TorchElasticEnvironment()


@contextmanager
def shared(devices: Devices, prepare: Callable[[], T]) -> Iterator[T]:
    """Connects the processes, and yields what each prepares.

    The first one prepares before it connects, the others after that, without output: a mistake is
    reported once.
    """
    if devices.world == 1:
        yield prepare()
        return
    prepared = [] if devices.rank else [prepare()]
    at = cluster()
    where = f"tcp://{at.main_address}:{at.main_port}"
    with interruptible():
        distributed.init_process_group("gloo", where, LONGEST, devices.world, devices.rank)
    try:
        with quiet() if devices.rank else nullcontext():
            yield prepared[0] if prepared else prepare()
    finally:
        distributed.destroy_process_group()


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C ends the process: Python would wait for the end of a call of torch."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing is printed."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield
