"""The ELBO weight of the target, such as the rate at which a masked token is unmasked.

Paper: arXiv:2406.07524 (MDLM)
Also known as: nelbo, nll, vlb, rate, likelihood, mdlm, reciprocal, inverse_t, 1/t
Differs:
    reciprocal, inverse_t, 1/t: the two are equal only with a `linear` schedule; `elbo` follows
        the schedule
    vlb: D3PM's sums over T discrete steps; here its limit, in continuous time
"""

ELBO_WEIGHT = True
