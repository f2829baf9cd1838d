"""The settings of a run, and the code that they name."""
