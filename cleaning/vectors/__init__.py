"""Geometry of embeddings: neighbours, exact search, folds, scaling, and one logistic fit."""
