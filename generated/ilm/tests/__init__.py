"""The tests of ilm; they require only torch and pytest."""
