"""The tests of dilm; they require only torch and pytest."""
