"""Predictors of the zero-shot task: which class an image belongs to, from the names of the classes alone."""
