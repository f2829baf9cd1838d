"""xlm-spec: from a one-page spec of a language model to a PyTorch package."""

__version__ = "0.5.0.dev0"
