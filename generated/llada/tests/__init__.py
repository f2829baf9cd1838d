"""The tests of llada; they require only torch and pytest."""
