"""Predictors of the logo task: whose logo a picture is."""
