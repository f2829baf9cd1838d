"""The tests of editflows_pairs; they require only torch and pytest."""
