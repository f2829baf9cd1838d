"""Trained weights: checkpoints, exports as checkpoints, the hub and teachers."""
