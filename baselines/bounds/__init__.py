"""Bounds: orders nobody can submit, because they read the true labels. One public module each, with one function.

    rank_with_truth(train, validation, truth: GroundTruth, *, rng: Generator) -> scores (n,) or a Ranking

They are off unless `bounds:` in parameters.yaml lists them; `evaluate` computes them and never writes a submission.
"""
