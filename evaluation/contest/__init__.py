"""A contest: the log of submissions, who may submit, public and private parts, boards and standings."""
