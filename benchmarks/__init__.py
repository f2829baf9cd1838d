"""Measurements of quality and speed. Each command prints figures, spread and machine."""
