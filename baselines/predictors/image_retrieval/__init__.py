"""Predictors of the retrieval task: which references show the product of a query."""
