"""The known rate of the target's events, which makes the term the negative bound.

Paper: arXiv:2406.07524 (MDLM)
Also known as: nelbo, nll, vlb, rate, likelihood, mdlm, reciprocal, inverse_t, 1/t
"""

BOUND = True
COUNT = "return_rate"
