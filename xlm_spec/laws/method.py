"""A package as the laws use it: modules, parameters, and the distribution of its corruption."""

import ast
import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import is_dataclass, replace
from functools import cached_property, reduce
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import oracle, states
from .calls import call, rows_of
from .counting import Counting
from .law_files import Component, LawFiles, NoLaw, Unverified, components_of
from .models import RandomModel
from .networks import Trained, train
from .sampling import Sampling
from .toy_distribution import (
    BOS,
    EOS,
    MASK,
    PAD,
    SIZE,
    Tokens,
    ToyDistribution,
    V,
    quadrature,
    toy_distribution,
)

ROWS = 20_000
READ = {"tokens", "valid", "t"}  # wires of the model that the laws can provide
WEIGHTS = ("elbo_weight", "count_weight")  # functions of a count that weight loss terms


class Method:
    """`module` is the package, `plan` its lowered spec."""

    def __init__(self, module, plan: dict):
        self.module, self.plan = module, plan
        self.files = LawFiles(Path(module.__file__).parent.parent)
        self.minimised = "objective"
        self.found: dict[tuple, Any] = {}  # corrupted states and exact models
        self.noise = plan["method"]["noise"]
        ids = {"eos": EOS, "mask": MASK}
        needed = {n: ids[n] for n in module.NEEDS}
        self.vocab = module.Vocab(size=V, pad=PAD, bos=BOS, **needed)
        self.as_written = module.Config(vocab=self.vocab)  # with the parameters of the spec
        self.config = self.at_bound(self.as_written)
        self.heads = {n for n, _ in module.Model(module.Config.small()).named_children()}
        self.heads -= {"backbone"}

    def at_bound(self, config):
        """A config with the parameters with which the bound holds."""
        return with_parameters(config, getattr(self.module, "BOUND_AT", {}))

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
    def enumerable(self) -> bool:
        """Can all corruptions be enumerated with their probabilities?"""
        return not self.unenumerable

    @cached_property
    def unenumerable(self) -> str:
        """Why the corruptions can't be enumerated; "" if they can."""
        if not self.corrupts:
            return ""
        if self.pinnable and not self.draws and not self.states_likelihood:
            if self.defines("noise", "likelihood") and self.smooth:
                return ""
            why = "P(corrupted | x, t) is unknown, or a step function of t: define P(corrupted | x)"
            return NoLaw(why)
        return states.unstatable(self) or self.unreached

    @property
    def unreached(self) -> str:
        """Why the states that were found are not enough; "" if they are."""
        found = self.states(self.toy_distribution())
        if not found.closed and min(float(found.total(t).min()) for t in states.TIMES) < 1 - 1e-6:
            return NoLaw("some corrupted states are too rare to be drawn")
        fine, coarse = (
            torch.stack([weight * found.p(t) for t, weight in self.time_grid(nodes)]).sum(0)
            for nodes in (64, 47)
        )
        if float((fine - coarse).abs().max()) > 1e-6:
            return NoLaw("P(z | x, t) is a step function of t: define P(z | x)")
        return ""

    def states(self, w: ToyDistribution, prompt: int = 0) -> states.States:
        """The corrupted states of all sequences."""
        key = ("states", w.sequences[0], len(w.sequences), prompt)
        if key not in self.found:
            x = self.examples(*w.batch(), prompt)._replace(index=torch.arange(len(w.sequences)))
            self.found[key] = states.find(self, x)
        return self.found[key]

    def counting(self, term: str) -> Counting:
        """The distribution of the number of corrupted tokens, and the weights of a term."""
        declared = self.plan["inferred"].get("elbo_weights", {})  # absent in packages of 0.4.0
        return Counting(self, declared.get(term, "elbo_weight"))

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

    def exact_model(
        self, w: ToyDistribution, blur: float = 0.0, prompt: int = 0, tilt: float = 0.0
    ):
        """The exact minimiser of the objective on a toy distribution, or a perturbed one."""
        minimiser = self.of_process("minimiser")
        if minimiser is None:
            return self.built_model(w, blur, prompt, tilt)
        if "occurrences" in inspect.signature(minimiser).parameters:
            return minimiser(w, lambda: self.occurrences(w, prompt), blur, tilt)
        return minimiser(w, blur, tilt)

    def built_model(
        self,
        w: ToyDistribution,
        blur: float = 0.0,
        prompt: int = 0,
        tilt: float = 0.0,
        whole: bool | None = None,
    ) -> oracle.Exact:
        """The same, from the likelihood of the process and the minimiser that the loss declares.

        `whole` overrides the loss: do predictions see the token at their own position?
        """
        whole = self.sees_own_token if whole is None else whole
        key = ("tables", w.sequences[0], len(w.sequences), prompt, whole, whole and self.minimised)
        if key not in self.found:
            self.found[key] = oracle.Tables(self, w, prompt, whole)
        return oracle.Exact(self.found[key], blur, tilt, self.heads)

    @property
    def sees_own_token(self) -> bool:
        """Do the predictions that minimise the loss depend on the token at their position?"""
        return "leave_one_out" not in self.plan["minimisers"].values()

    def unknown_minimiser(self) -> str:
        """Why the exact model is unknown; "" if a law file or the package states it."""
        if self.of_process("minimiser") is None:
            return self.unenumerable or oracle.unbuildable(self)
        if self.needs_occurrences and not self.enumerable:
            return NoLaw(
                "the minimiser depends on how often each set is corrupted, which is not known"
            )
        return ""

    @property
    def needs_occurrences(self) -> bool:
        """Does the minimiser depend on how often each set is corrupted?"""
        minimiser = self.of_process("minimiser")
        return minimiser and "occurrences" in inspect.signature(minimiser).parameters

    def occurrences(
        self, w: ToyDistribution, prompt: int = 0
    ) -> Iterator[tuple[Tokens, tuple[int, ...], float]]:
        """The weight in the minimised function of each sequence without some of its tokens."""
        tokens, _ = w.batch()
        mass = torch.zeros(())
        for t, x, corrupted, p in self.corruptions(w, prompt):  # the same rows at every time
            mass = mass + p * self.term_weight(x, corrupted, t)
        which = (x.tokens[:, None] == tokens).all(-1).long().argmax(1)
        rows = zip(which.tolist(), corrupted.tolist(), mass.tolist(), strict=True)
        for i, row, weight in rows:
            yield w.sequences[i], tuple(j - 1 for j, removed in enumerate(row) if removed), weight

    def term_weight(self, x, corrupted: Tensor, t: float) -> Tensor:
        """The weight of these rows in the minimised function, (B,); 1 if it has no weight."""
        part = self.part("objective")
        called = {*getattr(part, self.minimised).__code__.co_names}
        called |= {*part.objective.__code__.co_names} if "objective" in called else set()
        for function in WEIGHTS:
            if function in called:
                return self.evaluate(function, x, corrupted, t)
        return torch.ones(len(corrupted), dtype=torch.float64)

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

    @cached_property
    def trained(self) -> Trained:
        """The small model of the package, trained on the toy distribution."""
        return train(self)

    # ---- the distribution of the corruption ------------------------------------------------------

    def evaluate(self, function: str, x, corrupted: Tensor, t: float) -> Tensor:
        """A function of the count for these rows at time t, (B,), float64."""
        f = getattr(self.part("noise"), function)
        time = torch.full((len(corrupted), 1), t, dtype=torch.float64)
        scope = self.scope(x=x, corrupted=corrupted, t=time)
        values = call(f, scope, getattr(self.config.noise, "count", None))
        return values.double().expand(len(corrupted), 1)[:, 0]

    @property
    def likelihood_has_time(self) -> bool:
        """Is the likelihood of a corrupted set given at a time? Otherwise over all times."""
        return "t" in inspect.signature(self.part("noise").likelihood).parameters

    @cached_property
    def smooth(self) -> bool:
        """Can the likelihood be integrated over time? Not if it is a step function."""
        return abs(self.count_probability(3, 2) - self.count_probability(3, 2, nodes=47)) < 1e-6

    def time_grid(self, nodes: int = 64) -> list[tuple[float, float]]:
        """(t, weight) of quadrature: the weighted sum is the mean over times."""
        if not self.likelihood_has_time:
            return [(0.5, 1.0)]
        folds = 1
        if self.states_likelihood:  # its terms need not be smooth at the ends
            nodes, folds = nodes * 3 // 4, 2
        return [*zip(*(a.tolist() for a in quadrature(nodes, folds)), strict=True)]

    def count_probability(self, n: int, k: int, nodes: int = 64) -> float:
        """P(k of n tokens are corrupted), over all times."""
        tokens = torch.full((1, 1 + n), BOS)
        one = self.examples(tokens, torch.ones_like(tokens, dtype=torch.bool))
        x, sets = subsets(self, one)
        x, sets = rows_of(x, sets.sum(1) == k), sets[sets.sum(1) == k]
        return sum(
            weight * float(self.evaluate("likelihood", x, sets, t).sum())
            for t, weight in self.time_grid(nodes)
        )

    def rows(self, w: ToyDistribution, prompt: int = 0) -> tuple[Any, Any]:
        """Every sequence with each of its corruptions: examples, and what `pinned` takes."""
        if self.states_likelihood:
            found = self.states(w, prompt)
            return found.x, found.z
        every = self.examples(*w.batch(), prompt)._replace(index=torch.arange(len(w.sequences)))
        return subsets(self, every)

    def probability(self, x: Any, corruption: Any, t: float) -> Tensor:
        """P(corruption | x, t) of these rows, (B,), float64."""
        if self.states_likelihood:
            return states.likelihood(self, corruption, x, t)
        return self.evaluate("likelihood", x, corruption, t)

    def corruptions(
        self, w: ToyDistribution, prompt: int = 0
    ) -> Iterator[tuple[float, Any, Any, Tensor]]:
        """All sequences with all corruptions, by time: (t, examples, corruption, P (B,))."""
        x, corruption = self.rows(w, prompt)
        p = w.p[x.index]
        for t, weight in self.time_grid():
            yield t, x, corruption, weight * p * self.probability(x, corruption, t)

    def seen(self, x: Any, corruption: Any) -> Tensor:
        """The tokens that the model sees, (B, L); padding where they are not valid."""
        if isinstance(corruption, Tensor):
            t = torch.full((len(x.tokens), 1), 0.5)
            corruption = self.call_process("corrupt", self.scope(x=x, corrupted=corruption, t=t))
        return states.seen(corruption)

    def call_process(self, function: str, scope: dict) -> Any:
        """A function of the process, with its parameters."""
        f = getattr(self.part("noise"), function)
        return call(f, scope, getattr(self.config.noise, "process", None))

    @contextmanager
    def pinned(self, corruption: Any, t: float | Tensor) -> Iterator[None]:
        """The objective makes this corruption, at this time, or at one time per row, (B, 1).

        The corruption is a set of tokens, (B, L), or `Noised` without its real numbers.
        """
        part = self.part("objective")
        at = t if isinstance(t, Tensor) else torch.full((1, 1), t, dtype=torch.float64)
        pins: dict[str, Callable] = {"sample_time": lambda x, *_, **__: at.expand(len(x.tokens), 1)}
        if isinstance(corruption, Tensor):
            pins["select_tokens"] = lambda *_, **__: corruption
        elif corruption is not None:
            fields = states.whole(corruption)
            corrupt = part.corrupt
            pins["corrupt"] = lambda *args, **given: corrupt(*args, **given)._replace(**fields)
        originals = {n: getattr(part, n) for n in pins if hasattr(part, n)}
        try:
            for name in originals:
                setattr(part, name, pins[name])
            yield
        finally:
            for name, f in originals.items():
                setattr(part, name, f)

    @contextmanager
    def noised(self, z: Any = None, t: Tensor | None = None) -> Iterator[list]:
        """The list of what `corrupt` returns in the objective; `z` replaces it, `t` the time."""
        part = self.part("objective")
        seen: list = []
        originals = {n: getattr(part, n) for n in ("corrupt", "sample_time") if hasattr(part, n)}

        def corrupt(*args, **parameters):
            seen.append(originals["corrupt"](*args, **parameters) if z is None else z)
            return seen[-1]

        try:
            if "corrupt" in originals:
                part.corrupt = corrupt
            if t is not None and "sample_time" in originals:
                part.sample_time = lambda *_, **__: t
            yield seen
        finally:
            for name, f in originals.items():
                setattr(part, name, f)

    @property
    def random_parts(self) -> list[str]:
        """The functions of the objective that sample, besides the noise."""
        part, noise = self.part("objective"), self.part("noise")
        found = [f for f in part.objective.__code__.co_names if callable(getattr(part, f, None))]
        return [
            f
            for f in found
            if not hasattr(noise, f) and "rng" in inspect.signature(getattr(part, f)).parameters
        ]

    @property
    def draws_sets(self) -> bool:
        """Does the process select the corrupted tokens itself?"""
        return self.defines("objective", "corrupt") and not self.pinnable

    @property
    def corrupts_at_random(self) -> bool:
        """Does `corrupt` sample, so that the corrupted set does not determine its result?"""
        corrupt = getattr(self.part("noise"), "corrupt", None)
        return corrupt is not None and "rng" in inspect.signature(corrupt).parameters

    def mean(self, function, model, w: ToyDistribution, prompt: int = 0) -> float:
        """E over sequences, times and sets of `function(model, x, config, rng)`: enumerated."""
        rng = torch.Generator().manual_seed(0)
        if not self.corrupts:
            x = self.examples(*w.batch(), prompt)
            return float((w.p * function(model, x, self.config, rng)).sum())
        total = 0.0
        for t, x, corrupted, p in self.corruptions(w, prompt):
            with self.pinned(corrupted, t):
                value = function(model, x, self.config, rng)
            total += float((p * value.double()).sum())
        return total

    def estimate(self, function, model, w: ToyDistribution, prompt: int = 0) -> tuple[float, float]:
        """The same mean from 20,000 training samples, and its standard error."""
        rng = torch.Generator().manual_seed(1)
        which = torch.multinomial(w.p, ROWS, True, generator=rng)
        x = self.examples(*w.batch(which), prompt)
        value = function(model, x, self.config, rng).double()
        return float(value.mean()), float(value.std()) / ROWS**0.5

    # ---- samplers --------------------------------------------------------------------------------

    @property
    def samplers(self) -> dict[str, dict]:
        """The kind, the parameters and the rules of each sampler of the plan."""
        return self.plan["method"]["sampler"]

    def config_path(self, sampler: str) -> str:
        """The dotted name of its parameters in the config."""
        return f"sampler.{sampler}" if len(self.samplers) > 1 else "sampler"

    def parameters(self, sampler: str, config=None):
        """The parameters of a sampler, with its rules."""
        return reduce(getattr, self.config_path(sampler).split("."), config or self.config)

    def exact_at(self, sampler: str) -> dict[str, Any] | None:
        """The parameters with which a sampler is exact; None if it never is."""
        exact = self.plan.get("exact_at", {}).get(sampler)
        return None if exact is None else {k: ast.literal_eval(v) for k, v in exact.items()}

    def sampling(self, sampler: str, config, model) -> Sampling:
        """A sampler, as the laws of its steps use it."""
        return (self.of_process("Sampling") or Sampling)(self, sampler, config, model)

    def run_sampler(
        self, sampler: str, model, start, parameters: dict[str, Any], seed: int = 0
    ) -> list:
        """All states of a run of a sampler."""
        config = with_parameters(self.config, parameters)
        rng = torch.Generator().manual_seed(seed)
        return [*self.module.SAMPLERS[sampler](model, config, start, rng)]


def subsets(m: Method, x):
    """Each row with every subset of its free tokens: (examples, sets (B, L))."""
    which, sets = [], []
    for i, free in enumerate((x.valid & ~x.fixed).tolist()):
        for s in product(*([False, True] if f else [False] for f in free)):
            which.append(i)
            sets.append(s)
    return rows_of(x, torch.tensor(which)), torch.tensor(sets)


def numbers(config) -> dict[str, Any]:
    """The numbers of a config, by name, without names that are there twice."""
    found: dict[str, list] = {}
    todo = [config]
    while todo:
        for name, value in vars(todo.pop()).items():
            if is_dataclass(value):
                todo.append(value)
            elif isinstance(value, int | float):
                found.setdefault(name, []).append(value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def with_parameters(config, parameters: dict[str, Any]):
    """A config with some parameters replaced, by dotted name."""
    for name, value in parameters.items():
        config = replaced(config, name.split("."), value)
    return config


def replaced(config, path: list[str], value):
    first, *rest = path
    old = getattr(config, first)
    if rest:
        assert is_dataclass(old)
        value = replaced(old, rest, value)
    elif isinstance(old, float):
        value = float(value)
    return replace(config, **{first: value})
