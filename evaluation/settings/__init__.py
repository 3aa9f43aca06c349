"""The schema of parameters.yaml, and where files lie."""
