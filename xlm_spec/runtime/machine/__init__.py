"""The machine of a run: its environment, libraries, devices, memory and files."""
