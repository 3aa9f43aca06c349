"""Rankers: one public module each, with one function.

    rank(train: Split, validation: Split | None, *, rng: Generator) -> label-quality scores (n,) or a Ranking

A score is low where the label is suspicious (cleanlab's convention). A ranker sees noisy training labels and clean
validation labels, never test rows or the truth. It leaves its inputs as they are, and raises `Unsuitable` with the
reason where it cannot work. One that takes a keyword `progress` is given a Progress. The first line of the module's
docstring describes it in `fixfirst ls`.
"""
