"""Predictors of the zero-shot task: which class an image is of, from the names of the classes."""
