"""Muon for the matrices of the backbone, AdamW for all other parameters."""

import torch
from torch import Tensor, nn
from torch.optim import AdamW

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration


class Muon(AdamW):
    """The update of a matrix is its momentum, made orthogonal, times 0.2 sqrt(max(rows, columns)).

    Then the root mean square of an update is that of AdamW, so both have one learning rate and
    one weight decay (arXiv:2502.16982; Muon: kellerjordan.github.io/posts/muon).
    """

    def __init__(
        self,
        params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),  # of AdamW
        eps: float = 1e-8,  # of AdamW
        weight_decay: float = 0.01,
        *,
        momentum: float = 0.95,
        nesterov: bool = True,
        iterations: int = 5,
    ):
        self.momentum, self.nesterov, self.iterations = momentum, nesterov, iterations
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    @staticmethod
    def groups(model: nn.Module, weight_decay: float) -> list[dict]:
        """Matrices of linear maps in the backbone; embeddings and heads; vectors."""
        backbone = getattr(model, "backbone", model)
        linear = {id(m.weight) for m in backbone.modules() if isinstance(m, nn.Linear)}
        parts: dict[str, list] = {"muon": [], "matrices": [], "vectors": []}
        for p in model.parameters():
            name = "muon" if id(p) in linear else "matrices" if p.ndim > 1 else "vectors"
            parts[name].append(p)
        decay = {"muon": weight_decay, "matrices": weight_decay, "vectors": 0.0}
        return [
            {"params": found, "weight_decay": decay[name], "muon": name == "muon"}
            for name, found in parts.items()
            if found
        ]

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        of_muon = [(p, g) for g in self.param_groups if g.get("muon") for p in g["params"]]
        gradients = {p: p.grad for p, _ in of_muon if p.grad is not None}
        for p, group in of_muon:
            if p in gradients:
                self.step_of(p, gradients[p], group)
                p.grad = None  # AdamW leaves it out
        super().step()
        for p, gradient in gradients.items():
            p.grad = gradient
        return loss

    def step_of(self, p: Tensor, gradient: Tensor, group: dict) -> None:
        state = self.state[p]
        if not state:
            state["step"] = torch.zeros(())
            state["momentum"] = torch.zeros_like(p)
        state["step"] += 1
        state["momentum"].lerp_(gradient, 1 - self.momentum)
        ahead = gradient.lerp(state["momentum"], self.momentum)  # of Nesterov
        update = orthogonal(ahead if self.nesterov else state["momentum"], self.iterations)
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.add_(update, alpha=-group["lr"] * 0.2 * max(p.shape) ** 0.5)


def orthogonal(x: Tensor, iterations: int) -> Tensor:
    """The nearest matrix with orthonormal rows or columns, roughly: singular values near one."""
    a, b, c = COEFFICIENTS
    wide = x.T if x.shape[0] > x.shape[1] else x
    y = wide.bfloat16() if x.is_cuda else wide
    y = y / (y.norm() + 1e-7)
    for _ in range(iterations):
        gram = y @ y.T
        y = a * y + (b * gram + c * gram @ gram) @ y
    y = y.to(x.dtype)
    return y.T if x.shape[0] > x.shape[1] else y
