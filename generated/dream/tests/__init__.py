"""The tests of dream; they require only torch and pytest."""
