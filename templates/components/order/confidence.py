"""The positions with the highest maximum probability first.

Paper: arXiv:2502.09992 (LLaDA, low-confidence remasking); arXiv:2202.04200 (MaskGIT, differs)
Also known as: low_confidence, confidence_based, top_prob, top_probability, max_prob, maskgit,
    maskgit_plus, topk, conf
Differs:
    low_confidence, maskgit_plus: the score there (LLaDA, Dream) is the probability of the drawn
        token; the two agree with greedy tokens, `tokens: {kind: top_k, k: 1}`
    maskgit: MaskGIT scores by the probability of the drawn token plus annealed Gumbel noise,
        which is not available; `confidence` scores by max_v p; the two agree without that noise
        and with greedy tokens, `tokens: {kind: top_k, k: 1}`
    alg_temp, choice_temperature: noise on the unmasking order is not available; without it the
        order is that of the score
"""

from dataclasses import dataclass

from torch import Generator, Tensor

EXACT_AT = {}  # at any values


@dataclass(frozen=True)
class Confidence:
    """max_v p(v | x_t), the highest first (LLaDA, arXiv:2502.09992, with greedy tokens).

    The score depends neither on the temperature or cut of `tokens` nor on the drawn token.
    """

    def __call__(self, logits: Tensor, position: Tensor, rng: Generator) -> Tensor:
        return logits.softmax(-1).amax(-1)  # (N, V) -> (N,)
