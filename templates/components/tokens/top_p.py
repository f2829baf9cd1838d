"""Drawn from the nucleus: the likeliest tokens with total probability p.

Paper: arXiv:1904.09751 (Holtzman et al.)
Also known as: nucleus, nucleus_sampling, topp
    p: top_p, topp, nucleus, threshold
"""

from dataclasses import dataclass

from torch import Generator, Tensor

from ..ops import categorical

EXACT_AT = {"p": 1, "temperature": 1}


@dataclass(frozen=True)
class TopP:
    """The smallest set of likeliest tokens whose mass reaches p (arXiv:1904.09751).

    The code of MDLM, BD3-LM, ReMDM and xlm-core keeps a mass of at most p: usually one token fewer.
    Sorts the 1,024 likeliest tokens, and all only if these do not reach p in a row.
    """

    p: float = 0.9  # probability mass kept; in (0, 1]
    temperature: float = 1.0  # applied before the cut; below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        every = (logits / self.temperature).softmax(-1)  # (N, V)
        p, ids = every.topk(min(1024, logits.shape[-1]))
        if (p.sum(-1) < self.p).any():
            p, ids = every.sort(descending=True)
        before = p.cumsum(-1) - p  # mass of the likelier tokens
        kept = p.masked_fill(before >= self.p, 0.0)
        return ids.gather(1, categorical(kept, rng)[:, None])[:, 0]
