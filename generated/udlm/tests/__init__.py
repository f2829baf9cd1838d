"""The tests of udlm; they require only torch and pytest."""
