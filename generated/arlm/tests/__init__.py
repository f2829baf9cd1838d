"""The tests of arlm; they require only torch and pytest."""
