"""The tests of mlm; they require only torch and pytest."""
