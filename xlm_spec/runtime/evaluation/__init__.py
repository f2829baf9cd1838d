"""The workflow `eval`: losses, bounds, samples, metrics and predictions."""
