"""The cleaning simulation: fix labels in the order of a ranking, retrain, measure."""
