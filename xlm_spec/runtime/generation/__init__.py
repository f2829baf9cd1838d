"""The workflow `generate`, and its pages of trajectories."""
