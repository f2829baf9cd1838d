"""Claims of quality and speed, each from a command that prints figure, spread and machine."""
