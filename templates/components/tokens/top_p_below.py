"""Drawn from the nucleus as MDLM's code has it: the likeliest tokens with a mass of at most p.

Paper: arXiv:2406.07524 (MDLM, its code); arXiv:2503.00307 (ReMDM, its code)
Also known as: nucleus_p
    p: nucleus_p, top_p, topp, nucleus, threshold
Differs:
    nucleus_p: in the code of MDLM, BD3-LM, ReMDM and xlm-core its mass is at most p, here
        `top_p_below`; in the paper its mass reaches p, here `top_p`: usually one token more
"""

from dataclasses import dataclass

from torch import Generator, Tensor

from ..ops import categorical

EXACT_AT = {"p": 1, "temperature": 1}


@dataclass(frozen=True)
class TopPBelow:
    """The largest set of likeliest tokens whose mass is at most p, at least one token.

    The nucleus of the code of MDLM, BD3-LM, ReMDM and xlm-core; `top_p` is that of the paper
    (arXiv:1904.09751), usually one token more. Sorts the 1,024 likeliest tokens, and all only if
    these do not exceed p in a row.
    """

    p: float = 0.9  # probability mass kept at most; in (0, 1]
    temperature: float = 1.0  # applied before the cut; below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        every = (logits / self.temperature).softmax(-1)  # (N, V)
        p, ids = every.topk(min(1024, logits.shape[-1]))
        if (p.sum(-1) <= self.p).any():
            p, ids = every.sort(descending=True)
        outside = (p.cumsum(-1) > self.p) & (self.p < 1)
        outside[:, 0] = False
        return ids.gather(1, categorical(p.masked_fill(outside, 0.0), rng)[:, None])[:, 0]
