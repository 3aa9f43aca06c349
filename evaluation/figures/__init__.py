"""The figures and the report, drawn from records alone."""
