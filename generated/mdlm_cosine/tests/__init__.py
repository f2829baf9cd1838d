"""The tests of mdlm_cosine; they require only torch and pytest."""
