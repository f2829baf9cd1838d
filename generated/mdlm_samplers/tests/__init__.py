"""The tests of mdlm_samplers; they require only torch and pytest."""
