"""The tests of gidd; they require only torch and pytest."""
