"""Baselines: methods to compare with, one public module each, found by folder.

rankers/         order the training labels of a data set for inspection
bounds/          orders that read the true labels, for comparison only
predictors/TASK/ answer the problems of a sister task
"""
