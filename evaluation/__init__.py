"""The harness: what the commands do with parameters, files, submissions and records."""
