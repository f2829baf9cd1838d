"""The tests of mdlm_exact; they require only torch and pytest."""
