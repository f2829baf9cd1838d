"""A trained model of text for the lm-evaluation-harness (`pip install 'xlm-spec[lm-eval]'`).

    simple_evaluate(model=harness_model(trained), tasks=[...])

`kind` says what its log-likelihoods are: exact, or lower bounds of that kind. A ranking of answers
by bounds is no ranking by likelihoods: their gaps differ.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed, nearest
from xlm_spec.runtime.evaluation import protocol
from xlm_spec.runtime.evaluation.batches import precision_of
from xlm_spec.runtime.evaluation.evaluate import drawn_bounds
from xlm_spec.runtime.evaluation.scoring import bound_of, draw
from xlm_spec.runtime.machine.extras import require
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.weights.load_model import TrainedModel, load_model, sampler_of

LONGEST = 256  # tokens of a generation, unless the task says


class Answers:
    """What the harness asks of an LM: log-likelihoods, and generations.

    Of a model whose task is running text. `draws`: of the noise of a bound. A context is cut on the
    left to the length of a block. Raises Failed (X602) for other tasks.
    """

    def __init__(self, trained: TrainedModel, sampler: str = "", draws: int = 1, batch: int = 16):
        super().__init__()
        run = trained.run
        if not protocol.is_text(run.task) or run.task.ends:
            message = f"lm-eval requires running text, and task `{run.task.name}` is of examples"
            raise Failed(Diagnostic("X602", message))
        self.trained, self.draws, self.size = trained, draws, batch
        self.sampler = sampler_of(run, sampler or None)
        self.bound = bound_of(run)
        self.kind = protocol.kind_of_likelihood(run) if self.bound else "none"
        self.block = run.task.longest_answer

    @property
    def tokenizer_name(self) -> str:
        return self.trained.run.task.name

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        """log p(continuation | context) of each, and whether it is the greedy one.

        Only an exact model with the head `token_logits` knows its greedy continuation; else False.
        """
        pairs = [self.encoded(*r.args) for r in requests]
        return [found for part in self.parts(pairs) for found in self.scored(part)]

    def loglikelihood_rolling(self, requests: Sequence[Any]) -> list[float]:
        """log p of each text, in blocks that do not overlap, as `eval` scores running text."""
        found = []
        for r in requests:
            ids = self.trained.run.task.tokenizer.encode(r.args[0])
            blocks: list[tuple[list[int], list[int]]] = [
                ([], ids[i : i + self.block]) for i in range(0, len(ids), self.block)
            ]
            scores = [s for part in self.parts(blocks) for s, _ in self.scored(part)]
            found.append(sum(scores))
        return found

    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        """A continuation of each context, up to the first of the texts that end it.

        The canvas is as long as the task allows, at most the rest of a block.
        """
        found: list[str] = []
        for part in self.parts([r.args for r in requests]):
            found += self.continued(part, len(found))
        return found

    def parts(self, items: list) -> Iterator[list]:
        return (items[i : i + self.size] for i in range(0, len(items), self.size))

    def encoded(self, context: str, continuation: str) -> tuple[list[int], list[int]]:
        """Their tokens; those of both together, so that a subword may span the space between."""
        spaces = len(context) - len(context.rstrip())
        if spaces:
            cut = len(context) - spaces
            context, continuation = context[:cut], context[cut:] + continuation
        encode = self.trained.run.task.tokenizer.encode
        before = encode(context)
        return before, encode(context + continuation)[len(before) :]

    def examples(self, pairs: Sequence[tuple[list[int], list[int]]], room: Sequence[int]) -> Any:
        """BOS, the fixed tokens and the free ones, (B, 1 + block); `room`: free positions."""
        vocab = self.trained.run.config.vocab
        tokens = torch.full((len(pairs), 1 + self.block), vocab.pad)
        tokens[:, 0] = vocab.bos
        index = torch.arange(1 + self.block)
        first = []
        for row, ((before, after), n) in enumerate(zip(pairs, room, strict=True)):
            kept = before[len(before) - max(0, min(len(before), self.block - n)) :]
            ids = [*kept, *after]
            tokens[row, 1 : 1 + len(ids)] = torch.tensor(ids, dtype=torch.long)
            first.append(1 + len(kept))
        begin = torch.tensor(first)[:, None]
        valid = index < begin + torch.tensor(list(room))[:, None]
        x = self.trained.run.package.Examples(tokens, valid, index < begin)
        return type(x)(*(a.to(self.trained.device) if isinstance(a, Tensor) else a for a in x))

    @torch.no_grad()
    def scored(self, pairs: list[tuple[list[int], list[int]]]) -> list[tuple[float, bool]]:
        """Raises Failed (X602) if the package has no bound, or a continuation is too long."""
        if self.bound is None:
            message = f"{self.trained.run.name} has no likelihood with these settings"
            raise Failed(Diagnostic("X602", message))
        longest = max(len(after) for _, after in pairs)
        if longest > self.block:
            message = f"a continuation has {longest} tokens; data.block is {self.block}"
            raise Failed(Diagnostic("X602", message))
        run, device = self.trained.run, self.trained.device
        x = self.examples(pairs, [len(after) for _, after in pairs])
        number = 1 if self.kind == "exact" else self.draws
        given, key = (self.trained.model, x, run.config), (run.train.seed, 0)
        with precision_of(run, device):
            nats = drawn_bounds(self.bound, given, number, key, device).double().mean(1)
            greedy = self.greedy(x)
        return [(-n, g) for n, g in zip(nats.tolist(), greedy, strict=True)]

    def greedy(self, x: Any) -> list[bool]:
        """Has each free token the highest probability, given those before it?"""
        head = getattr(self.trained.model, "token_logits", None)
        if self.kind != "exact" or head is None:
            return [False] * len(x.tokens)
        best = head(self.trained.model(x.tokens, x.valid)[:, :-1]).argmax(-1)
        free = (x.valid & ~x.fixed)[:, 1:]
        return ((best == x.tokens[:, 1:]) | ~free).all(1).tolist()

    @torch.no_grad()
    def continued(self, asked: list[tuple[str, dict]], first: int) -> list[str]:
        run, tokenizer = self.trained.run, self.trained.run.task.tokenizer
        most = [int(o.get("max_gen_toks", LONGEST)) for _, o in asked]
        room = [max(1, min(n, self.block - 1)) for n in most]
        start = self.examples([(tokenizer.encode(c), []) for c, _ in asked], room)
        rng = generator(run.train.seed, "lm-eval", first, device=self.trained.device)
        given = run, self.trained.layout, self.trained.model, self.sampler, start, rng
        with precision_of(run, self.trained.device):
            answers = draw(*given).answers
        texts = [tokenizer.decode([t for t in row if t >= 0]) for row in answers.tolist()]
        ends = [o.get("until") or [] for _, o in asked]
        return [
            until(t, [e] if isinstance(e, str) else e) for t, e in zip(texts, ends, strict=True)
        ]


def harness_model(trained: TrainedModel, **options: Any) -> Any:
    """The model as an `lm_eval.api.model.LM`; options as of `Answers`. Raises Failed (X508)."""
    require("lm_eval", "`lm-eval`", "lm-eval")
    base = require("lm_eval.api.model", "`lm-eval`", "lm-eval").LM
    return type("HarnessModel", (Answers, base), {})(trained, **options)


def until(text: str, ends: Sequence[str]) -> str:
    """The text before the first of some texts."""
    cuts = [at for e in ends if e and (at := text.find(e)) >= 0]
    return text[: min(cuts)] if cuts else text


def manager_of(names: Sequence[str], include: list[str]) -> Any:
    """The tasks of the folders, and those of the harness if these are not all.

    Raises Failed (X501) for an unknown task.
    """
    of_tasks = require("lm_eval.tasks", "`lm-eval`", "lm-eval")
    known: list[str] = []
    for defaults in (False, True) if include else (True,):
        manager = of_tasks.TaskManager(include_path=include or None, include_defaults=defaults)
        known = [*manager.all_tasks]
        if {*names} <= {*known}:
            return manager
    missing = next(n for n in names if n not in known)
    hint = f"did you mean `{nearest(missing, known)}`?" if nearest(missing, known) else ""
    message = f"the harness has no task `{missing}`"
    raise Failed(Diagnostic("X501", message, hint or "name a folder with it: --include DIR"))


def evaluate(package, data, train, args) -> None:
    """The workflow `lm-eval`: prints the results of tasks of the harness as one JSON object."""
    harness = require("lm_eval", "`lm-eval`", "lm-eval")
    names = [n.strip() for n in args.tasks.split(",")]
    trained = load_model(package, data, train, args)
    options = {"sampler": args.sampler or "", "draws": args.draws, "batch": args.batch or 16}
    model = harness_model(trained, **options)
    print(f"log-likelihoods: {model.kind}", file=sys.stderr)
    found = harness.simple_evaluate(
        model=model,
        tasks=names,
        task_manager=manager_of(names, [str(p) for p in args.include]),
        limit=args.limit,
        bootstrap_iters=0,
    )
    said = {"package": trained.run.name, "protocol": protocol.VERSION, "likelihood": model.kind}
    said |= {} if model.kind == "exact" else {"draws": args.draws}
    said |= {"sampler": model.sampler, "checkpoint": str(trained.checkpoint)}
    print(json.dumps(said | {"results": found["results"]}, default=str))
