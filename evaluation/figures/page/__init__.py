"""The report page: what it says, and its template, style and script."""
