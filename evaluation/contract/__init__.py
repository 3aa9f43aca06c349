"""The types of tasks, problems, examples, metrics and records, and the registries that find them."""
