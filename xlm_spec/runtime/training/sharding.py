"""FSDP2: the devices of a run share the weights, their averages, gradients and optimiser state.

Each block of the backbone, each head and the rest of the backbone are a unit: its weights are
gathered before it computes and dropped after that (torch's `fully_shard`). Checkpoints have the
content of those of other strategies, in a file or in a folder (see `weights.shards`): a run
continues, and a model loads, on any number of devices.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.strategies import ModelParallelStrategy
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import FSDPModule, fully_shard

from xlm_spec.runtime.machine import shards, shares
from xlm_spec.runtime.machine.files import put, remove, unwritable
from xlm_spec.runtime.machine.processes import is_lost
from xlm_spec.runtime.training.launcher import Launcher
from xlm_spec.runtime.training.recompute import blocks_of

ON_FIRST = StateDictOptions(full_state_dict=True, cpu_offload=True)  # whole tensors on rank 0
ON_ALL = StateDictOptions(full_state_dict=True)  # on all devices
SHARES = StateDictOptions(cpu_offload=True)  # of each device its own


class Sharded(ModelParallelStrategy):
    """FSDP2 over all devices.

    `sharded_checkpoints`: each checkpoint is a folder to which each device writes its share.
    Otherwise it is a file, which the first device writes; it holds the whole model in memory.
    """

    def __init__(self, *, sharded_checkpoints: bool = False) -> None:
        super().__init__(save_distributed_checkpoint=False)
        self.sharded_checkpoints = sharded_checkpoints
        self.failed = False  # a device has failed: the devices can no longer talk to each other

    @property
    def saved(self) -> StateDictOptions:
        """What each device contributes to a checkpoint."""
        return SHARES if self.sharded_checkpoints or self.failed else ON_FIRST

    def _configure_launcher(self) -> None:
        assert self.cluster_environment is not None
        self._launcher = Launcher(self.cluster_environment, self.num_processes, self.num_nodes)

    def setup_environment(self) -> None:
        self._data_parallel_size = self.num_nodes * self.num_processes
        self._tensor_parallel_size = 1
        super().setup_environment()

    def lightning_module_state_dict(self) -> dict[str, Any]:
        assert self.model is not None
        return state_of(self.model, self.saved)

    def optimizer_state(self, optimizer: Any) -> dict[str, Any]:
        """The state with the numbers of parameters, as an optimiser of one device has it."""
        return self.numbered_state(optimizer, self.saved)

    def numbered_state(self, optimizer: Any, options: StateDictOptions) -> dict[str, Any]:
        optimizer = getattr(optimizer, "_optimizer", optimizer)  # Lightning wraps it
        assert self.model is not None
        found: Any = get_optimizer_state_dict(self.model, optimizer, options=options)
        if not found:
            return found
        number = {name: i for i, name in enumerate(names_in(self.model, optimizer))}
        groups = [
            {**g, "params": [number[name] for name in g["params"]]} for g in found["param_groups"]
        ]
        return {
            "state": {number[name]: value for name, value in found["state"].items()},
            "param_groups": groups,
        }

    def save_checkpoint(
        self, checkpoint: dict[str, Any], filepath: Any, storage_options: Any = None
    ) -> None:
        """Raises Failed (X609); after a failure OSError and RuntimeError."""
        target = Path(filepath)
        if self.failed:
            shares.leave(target, checkpoint, self.global_rank, self.world_size)
            return
        if not self.sharded_checkpoints:
            if self.is_global_zero:
                self.checkpoint_io.save_checkpoint(checkpoint, filepath)
            return
        part = target.with_name(f"{target.name}.part")
        try:
            if self.is_global_zero:
                remove(part)
                part.mkdir(parents=True)
            self.barrier()
            shards.save(part, checkpoint, self.is_global_zero)
            if self.is_global_zero:
                put(part, target)
        except (OSError, RuntimeError) as e:
            if is_lost(e):
                raise
            raise unwritable(target, "cannot write the checkpoint", e) from None

    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> dict:
        """Loads the current weights and the optimiser; `Averaged` loads the average."""
        path = Path(checkpoint_path)
        if shards.is_sharded(path):
            return self.load_shards(path)
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        self.load_state(content, ON_ALL)
        return content

    def load_shards(self, folder: Path) -> dict:
        """The same of a sharded checkpoint: each device reads its share."""
        assert self.model is not None
        found = {
            "current_model_state": state_of(self.model, SHARES),
            "optimizer_states": [self.numbered_state(o, SHARES) for o in self.optimizers],
        }
        content = shards.load_shares(folder, found)
        self.load_state(content, SHARES)
        return content

    def load_state(self, content: Mapping[str, Any], options: StateDictOptions) -> None:
        assert self.model is not None
        set_model_state_dict(self.model, content["current_model_state"], options=options)
        for optimizer, state in zip(self.optimizers, content["optimizer_states"], strict=True):
            optimizer = getattr(optimizer, "_optimizer", optimizer)
            names = [*names_in(self.model, optimizer)]
            groups = [
                {**g, "params": [names[i] for i in g["params"]]} for g in state["param_groups"]
            ]
            by_name: Any = {
                "state": {names[i]: value for i, value in state["state"].items()},
                "param_groups": groups,
            }
            set_optimizer_state_dict(self.model, optimizer, by_name, options=options)


def names_in(model: nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[str]:
    """The names of the parameters in the order of the optimiser's groups."""
    name = {id(p): n for n, p in model.named_parameters()}
    return (name[id(p)] for g in optimizer.param_groups for p in g["params"])


def shard(model: nn.Module, mesh: Any) -> None:
    """Shards a model over the devices of a mesh."""
    heads = [m for n, m in model.named_children() if n != "backbone"]
    parts = [*blocks_of(model), *heads, getattr(model, "backbone", model)]
    for part in (*parts, model):
        if not isinstance(part, FSDPModule) and any(True for _ in part.parameters()):
            fully_shard(part, mesh=mesh, reshard_after_forward=True)


def is_sharded(model: nn.Module) -> bool:
    return isinstance(model, FSDPModule)


def state_of(model: nn.Module, options: StateDictOptions) -> dict[str, Any]:
    """The state dict: whole tensors, of which devices but the first may have none, or shares."""
    found: Any = get_model_state_dict(model, options=options)
    return found


def load_average(model: nn.Module, checkpoint: Mapping[str, Any], path: Path) -> None:
    """Loads the averaged weights of a checkpoint."""
    state, options = checkpoint["state_dict"], ON_ALL
    if shards.is_sharded(path):
        shares = {"state_dict": state_of(model, SHARES)}
        state, options = shards.load_shares(path, shares)["state_dict"], SHARES
    set_model_state_dict(model, dict(state), options=options)
