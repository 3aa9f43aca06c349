"""The closed division: the algorithm itself is handed in and run in a sandbox, and its answers are scored as files."""
