"""The tests of dfm; they require only torch and pytest."""
