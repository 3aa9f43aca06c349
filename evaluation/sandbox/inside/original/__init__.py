"""The two modules that a ranker file of the challenge's original imports, under their names there."""
