"""A package as the laws use it: its modules, its config, its components, and its models."""

import importlib
import inspect
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from .calls import call
from .config_values import numbers, with_parameters
from .law_files import Component, LawFiles, NoLaw, Unverified, components_of
from .models import RandomModel
from .toy_distribution import (
    BOS,
    EOS,
    MASK,
    PAD,
    SIZE,
    ToyDistribution,
    V,
    toy_distribution,
)

T = TypeVar("T")
READ = {"tokens", "valid", "t", "read"}  # wires of the model that the laws provide or leave out


class Method:
    """`module` is the package, `plan` its lowered spec."""

    def __init__(self, module, plan: dict):
        self.module, self.plan = module, plan
        self.files = LawFiles(Path(module.__file__).parent.parent)
        self.minimised = "objective"
        self.found: dict[tuple, Any] = {}  # what was computed once, such as corrupted states
        self.noise = plan["method"]["noise"]
        ids = {"eos": EOS, "mask": MASK}
        needed = {n: ids[n] for n in module.NEEDS}
        self.vocab = module.Vocab(size=V, pad=PAD, bos=BOS, **needed)
        self.as_written = module.Config(vocab=self.vocab)  # with the parameters of the spec
        few = getattr(self.law("time", self.noise.get("time", {}).get("kind", "")), "FEW_TIMES", {})
        few = {f"noise.time.{name}": value for name, value in few.items()}
        self.config = with_parameters(self.at_bound(self.as_written), few)
        self.heads = {n for n, _ in module.Model(module.Config.small()).named_children()}
        self.heads -= {"backbone"}

    def at_bound(self, config):
        """A config with the parameters with which the bound holds."""
        return with_parameters(config, getattr(self.module, "BOUND_AT", {}))

    def once(self, key: tuple, compute: Callable[[], T]) -> T:
        """What `compute` returns, computed once for each key."""
        if key not in self.found:
            self.found[key] = compute()
        return self.found[key]

    def part(self, name: str):
        """A module of the package; None if it does not exist."""
        try:
            return importlib.import_module(f"{self.module.__name__}.{name}")
        except ModuleNotFoundError:
            return None

    def defines(self, part: str, name: str) -> bool:
        return hasattr(self.part(part), name)

    # ---- the law files of its components ---------------------------------------------------------

    def law(self, folder: str, value: str) -> Any:
        """The law file of a component, a module; None if it has none."""
        return self.files.of(folder, value)

    @property
    def process(self) -> Component:
        return Component("process", self.noise["process"]["kind"])

    def of_process(self, name: str) -> Any:
        """An attribute of the law file of the process; None if it does not exist."""
        return getattr(self.law(self.process.folder, self.process.value), name, None)

    def without_law(self, *of: Component) -> list[NoLaw]:
        """Why these components, or any, have no law."""
        listed = [*(of or components_of(self.plan["method"]))]
        if self.states_likelihood:  # which replaces the law file
            listed = [c for c in listed if c != self.process]
        reasons = [self.files.missing(c) for c in listed]
        reasons += [self.of_count] if not of and self.pinnable else []
        return [*dict.fromkeys(why for why in reasons if why)]

    @property
    def of_count(self) -> NoLaw | None:
        """Why the sets that a count corrupts are not verified: its file has no `likelihood`."""
        if self.defines("noise", "likelihood"):
            return None
        kind = self.noise.get("count", {}).get("kind", "")
        why = "it has no `likelihood`"
        return NoLaw(f"no law: count {kind} ({why}): the sets that it corrupts are not verified")

    # ---- what kind of method ---------------------------------------------------------------------

    @property
    def corrupts(self) -> bool:
        """Does the model read corrupted sequences?"""
        return self.of_process("CORRUPTS") is not False

    @property
    def layout(self) -> str:
        """The layout of sequences: EOS fills the canvas, ends a sequence, or is not used."""
        if self.plan["inferred"]["fill"] == "eos":
            return "canvas"
        return "end" if self.vocab.eos >= 0 else "grow"

    @property
    def causal(self) -> bool:
        return self.plan["inferred"]["attention"] == "causal"

    @property
    def pinnable(self) -> bool:
        """Can the objective be evaluated with a given set of corrupted tokens?"""
        return self.defines("objective", "select_tokens")

    @property
    def states_likelihood(self) -> bool:
        """Does the process state the probability of a corrupted sequence, P(z | x, t)?"""
        likelihood = getattr(self.part("noise"), "likelihood", None)
        return likelihood is not None and "z" in inspect.signature(likelihood).parameters

    @property
    def draws(self) -> bool:
        """Does `corrupt` draw, or is its result known if the corrupted tokens are?"""
        return bool({"rng", "model"} & {*inspect.signature(self.part("noise").corrupt).parameters})

    @property
    def schedule(self):
        return self.clocks.get("schedule")

    @property
    def clocks(self) -> dict[str, Any]:
        """The schedules of the noise, by name."""
        fields = vars(getattr(self.config, "noise", object)).items()
        return {n: v for n, v in fields if n == "schedule" or n.endswith("_schedule")}

    def scope(self, **wires: Any) -> dict[str, Any]:
        """The wires of a function of a component: these, those of the method, shared numbers."""
        of_method = {"schedule": None, "vocab": self.vocab, "model": self.untrained}
        return numbers(self.config) | of_method | self.clocks | wires

    @cached_property
    def untrained(self):
        """A small model in float32."""
        return self.small_model().float()

    @property
    def other_inputs(self) -> str:
        """Why the laws can't provide the inputs of the model in training; "" if they can."""
        if hasattr(self.module.Model, "train_pass"):
            return NoLaw("training calls `train_pass`, whose inputs the law can't provide")
        if self.noise.get("roll_in"):
            return NoLaw("the terms read inputs of roll-ins, which the law can't provide")
        return ""

    # ---- the toy distribution --------------------------------------------------------------------

    def toy_distribution(self, seed: int = 0) -> ToyDistribution:
        return toy_distribution(self.layout, seed)

    def examples(self, tokens: Tensor, valid: Tensor, prompt: int = 0):
        """Examples in which BOS and a prompt of `prompt` tokens are fixed."""
        fixed = (torch.arange(tokens.shape[1]) <= prompt) & valid
        return self.module.Examples(tokens, valid, fixed)

    def start(self, w: ToyDistribution, rows: int, prompt: tuple[int, ...] = ()):
        """The input of a sampler: BOS, a prompt, and free positions."""
        tokens = torch.full((rows, w.width), PAD)
        tokens[:, : 1 + len(prompt)] = torch.tensor([BOS, *prompt])
        return self.examples(tokens, torch.ones_like(tokens, dtype=torch.bool), len(prompt))

    @cached_property
    def discrete_times(self) -> Tensor | None:
        """All times of training, equally likely, (T,) float64; None if they are continuous."""
        every = getattr(self.part("noise"), "every_time", None)
        return None if every is None else call(every, {}, self.noise_config.time).double()

    @property
    def timed(self) -> bool:
        """Is the model time-conditioned?"""
        return self.plan["inferred"]["time_conditioned"]

    def random_model(self, timed: bool = False, seed: int = 0) -> RandomModel:
        """A model with random outputs. Raises Unverified if a head has no law file."""
        for missing in (self.files.missing(Component("head", h)) for h in sorted(self.heads)):
            if missing:
                raise Unverified(missing)
        allowed = (*range(SIZE), EOS) if self.layout != "grow" else tuple(range(SIZE))
        heads = {head: self.law("head", head).output for head in self.heads}
        return RandomModel(heads, allowed, self.causal, timed, seed, self.wires)

    @property
    def wires(self) -> list[str]:
        """What the model reads, in order: `tokens`, `valid`, and more."""
        return [*inspect.signature(self.module.Model.forward).parameters][1:]

    def minimising(self, bound: bool) -> "Method":
        """The same method; its exact model minimises the bound, or (by default) the objective."""
        other = copy(self)
        other.minimised = "log_likelihood_bound" if bound else "objective"
        return other

    def small_model(self, seed: int = 0):
        """A small untrained model in float64, with noise added to all weights."""
        small = self.module.Config.small()
        torch.manual_seed(seed)
        model = self.module.Model(replace(small, vocab=self.vocab)).double().eval()
        with torch.no_grad():
            for p in model.parameters():
                p.add_(0.3 * torch.randn_like(p))
        return model

    @property
    def noise_config(self) -> Any:
        """The parameters of the noise; None if it has none."""
        return getattr(self.config, "noise", None)

    def call_process(self, function: str, scope: dict) -> Any:
        """A function of the process, with its parameters."""
        f = getattr(self.part("noise"), function)
        return call(f, scope, getattr(self.noise_config, "process", None))

    @property
    def draws_sets(self) -> bool:
        """Does the process select the corrupted tokens itself?"""
        return self.defines("objective", "corrupt") and not self.pinnable

    @property
    def corrupts_at_random(self) -> bool:
        """Does `corrupt` sample, so that the corrupted set does not determine its result?"""
        corrupt = getattr(self.part("noise"), "corrupt", None)
        return corrupt is not None and "rng" in inspect.signature(corrupt).parameters

    @property
    def samplers(self) -> dict[str, dict]:
        """The kind, the parameters and the rules of each sampler of the plan."""
        return self.plan["method"]["sampler"]
