"""The tests of fast_dllm; they require only torch and pytest."""
