"""The workflow `train`."""
