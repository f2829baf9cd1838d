"""The ELBO weight under another name."""

ELBO_WEIGHT = True
