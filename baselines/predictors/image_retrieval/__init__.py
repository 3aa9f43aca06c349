"""Predictors of the retrieval task: which references show the same product as a query."""
