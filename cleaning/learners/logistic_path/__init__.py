"""Optimal logistic regressions of all label vectors of a simulation, solved together."""
