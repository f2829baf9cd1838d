"""The tests of editflows; they require only torch and pytest."""
