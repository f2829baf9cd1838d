"""The tests of mdlm; they require only torch and pytest."""
