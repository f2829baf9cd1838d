"""The tests of d3pm_absorb; they require only torch and pytest."""
