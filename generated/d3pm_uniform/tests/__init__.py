"""The tests of d3pm_uniform; they require only torch and pytest."""
