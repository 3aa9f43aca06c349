"""Bounds: orders that cannot be submitted, because they read the true labels. One public module each, one function.

    rank_with_truth(train, validation, truth: GroundTruth, *, rng: Generator) -> scores (n,) or a Ranking

They are off unless `bounds:` in parameters.yaml lists them; `evaluate` computes them, but never writes them as
submissions.
"""
