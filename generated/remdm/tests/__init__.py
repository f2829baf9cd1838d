"""The tests of remdm; they require only torch and pytest."""
