"""The tests of editflows_noise; they require only torch and pytest."""
