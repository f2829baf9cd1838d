"""The tests of insertion_transformer; they require only torch and pytest."""
