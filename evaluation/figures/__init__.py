"""Pictures and the report, drawn from records alone."""
