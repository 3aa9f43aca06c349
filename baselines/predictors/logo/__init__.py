"""Predictors of the logo task: which brand's logo an image shows."""
