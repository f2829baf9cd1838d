"""The tests of xdlm; they require only torch and pytest."""
