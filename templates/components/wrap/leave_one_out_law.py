"""The law of `leave_one_out`: by Bayes' rule, from the distribution of x_t given x_0."""

import torch
from torch import Tensor

from xlm_spec.laws import V


def wrapped(wrap, model, sampling):
    return Converted(model, sampling, -1)


class Converted:
    """A model whose predictions are multiplied by a power of P(x_t | x_0)."""

    def __init__(self, model, sampling, power: int):
        self.model, self.sampling, self.power = model, sampling, power

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor) -> "Known":
        return Known(self.model(tokens, valid, t), tokens, t.expand(tokens.shape))

    def token_logits(self, known: "Known") -> Tensor:
        p = self.model.token_logits(known.hidden).double().softmax(-1)
        t = float(known.t.flatten()[0])  # of the states of one step
        x_t = self.sampling.alpha(t) * torch.eye(V, dtype=torch.float64) + self.sampling.noise(t)
        likelihood = x_t.T[known.tokens]  # of x_t given each x_0
        possible = likelihood > 0
        p = p * torch.where(possible, likelihood, 1.0) ** self.power
        return (p / p.sum(-1, keepdim=True)).log()


class Known:
    """Hidden states with the tokens and the times that they are of."""

    def __init__(self, hidden: Tensor, tokens: Tensor, t: Tensor):
        self.hidden, self.tokens, self.t = hidden, tokens, t

    def __getitem__(self, index) -> "Known":
        return Known(self.hidden[index], self.tokens[index], self.t[index])
