"""One's own labels, in the types that arrays and DataFrames have them: what they mean, and which to fix first."""
