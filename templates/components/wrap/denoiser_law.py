"""The law of `denoiser`: by Bayes' rule, from the distribution of x_t given x_0."""

from .leave_one_out_law import Converted


def wrapped(wrap, model, sampling):
    return Converted(model, sampling, 1)
