"""Predictors of the camera-trap task: which animals pass through a clip."""
