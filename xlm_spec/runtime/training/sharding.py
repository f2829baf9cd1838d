"""FSDP2: the devices of a run share the weights, their averages, gradients and optimiser state.

Each block of the backbone, each head and the rest of the backbone are a unit: its weights are
gathered before it computes and dropped after that (torch's `fully_shard`). Checkpoints hold whole
tensors, as those of other strategies do: a run continues, and a model loads, on any number of
devices.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from lightning.pytorch.strategies import ModelParallelStrategy
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import FSDPModule, fully_shard

from xlm_spec.runtime.training.launcher import Launcher
from xlm_spec.runtime.training.recompute import blocks_of

ON_FIRST = StateDictOptions(full_state_dict=True, cpu_offload=True)  # whole tensors on rank 0
ON_ALL = StateDictOptions(full_state_dict=True)  # on all devices


class Sharded(ModelParallelStrategy):
    """FSDP2 over all devices."""

    def __init__(self) -> None:
        super().__init__(save_distributed_checkpoint=False)

    def _configure_launcher(self) -> None:
        assert self.cluster_environment is not None
        self._launcher = Launcher(self.cluster_environment, self.num_processes, self.num_nodes)

    def setup_environment(self) -> None:
        self._data_parallel_size = self.num_nodes * self.num_processes
        self._tensor_parallel_size = 1
        super().setup_environment()

    def optimizer_state(self, optimizer: Any) -> dict[str, Any]:
        """The state with the numbers of parameters, as an optimiser of one device has it."""
        optimizer = getattr(optimizer, "_optimizer", optimizer)  # Lightning wraps it
        assert self.model is not None
        found: Any = get_optimizer_state_dict(self.model, optimizer, options=ON_FIRST)
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

    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> dict:
        """Loads the current weights and the optimiser; `Averaged` loads the average."""
        content = torch.load(checkpoint_path, map_location="cpu", weights_only=True, mmap=True)
        assert self.model is not None
        set_model_state_dict(self.model, content["current_model_state"], options=ON_ALL)
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
            set_optimizer_state_dict(self.model, optimizer, by_name, options=ON_ALL)
        return content


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


def whole_state(model: nn.Module, everywhere: bool = False) -> dict[str, Tensor]:
    """The state dict with whole tensors on the CPU of rank 0, or on all devices; else empty."""
    found: Any = get_model_state_dict(model, options=ON_ALL if everywhere else ON_FIRST)
    return found


def load_whole_state(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    set_model_state_dict(model, dict(state), options=ON_ALL)
