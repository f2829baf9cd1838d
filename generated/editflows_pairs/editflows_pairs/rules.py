"""Rules of the samplers of editflows_pairs: tokens top_k."""

from dataclasses import dataclass

from torch import Generator, Tensor

from .ops import categorical


@dataclass(frozen=True)
class TopK:
    """token ~ softmax(logits / temperature), among the k likeliest (arXiv:1805.04833)."""

    k: int = 1  # number of tokens kept; 1 is greedy; in [1, inf)
    temperature: float = 1.0  # below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        best, ids = logits.topk(min(self.k, logits.shape[-1]), dim=-1)  # (N, k)
        p = (best / self.temperature).softmax(-1)
        return ids.gather(1, categorical(p, rng)[:, None])[:, 0]
