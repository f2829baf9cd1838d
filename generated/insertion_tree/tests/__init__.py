"""The tests of insertion_tree; they require only torch and pytest."""
