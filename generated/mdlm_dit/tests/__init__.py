"""The tests of mdlm_dit; they require only torch and pytest."""
