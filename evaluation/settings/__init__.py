"""The schema of parameters.yaml, and the paths of all files."""
