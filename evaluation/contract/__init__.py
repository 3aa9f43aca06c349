"""What a task, a problem, an example, a metric and a record are, and how they are found."""
