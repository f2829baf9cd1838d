"""The base of metrics of the texts of all samples together."""

import torch
from torch import Tensor
from torchmetrics import Metric


class SetMetric(Metric):
    """Collects the texts of all devices. A subclass defines `of`, which returns a number."""

    full_state_update = False

    def __init__(self) -> None:
        super().__init__()
        for name in ("texts", "references"):
            self.add_state(f"{name}_bytes", [], dist_reduce_fx="cat")
            self.add_state(f"{name}_sizes", [], dist_reduce_fx="cat")

    def update(self, texts: list[str], references: list[str]) -> None:
        for name, given in (("texts", texts), ("references", references)):
            encoded = [t.encode("utf-8", "replace") for t in given]
            sizes = torch.tensor([len(e) for e in encoded], dtype=torch.long)
            content = torch.tensor([*b"".join(encoded)], dtype=torch.uint8)
            getattr(self, f"{name}_bytes").append(content.to(self.device))
            getattr(self, f"{name}_sizes").append(sizes.to(self.device))

    def compute(self) -> float:
        return self.of(self.collected("texts"), self.collected("references"))

    def of(self, texts: list[str], references: list[str]) -> float:
        """The figure of all samples, and of the true texts of the same examples."""
        raise NotImplementedError

    def collected(self, name: str) -> list[str]:
        content = bytes(joined(getattr(self, f"{name}_bytes")).tolist())
        found, at = [], 0
        for size in joined(getattr(self, f"{name}_sizes")).tolist():
            found.append(content[at : at + size].decode("utf-8", "replace"))
            at += size
        return found


def joined(state: Tensor | list[Tensor]) -> Tensor:
    """A state of a metric; other devices leave it joined."""
    if isinstance(state, Tensor):
        return state
    return torch.cat(state) if state else torch.zeros(0, dtype=torch.long)
