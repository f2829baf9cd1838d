"""The tests of flexmdm; they require only torch and pytest."""
