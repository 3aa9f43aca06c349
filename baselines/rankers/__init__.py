"""Rankers: one public module each, with one function.

    rank(train: Split, validation: Split | None, *, rng: Generator) -> label-quality scores (n,) or a Ranking

A lower score means a more suspicious label (cleanlab's convention). A ranker sees noisy training labels and clean
validation labels, never test rows or the true training labels. It must not modify its inputs, and it raises
`Unsuitable` with the reason if it cannot work on them. A ranker with a keyword argument `progress` receives a Progress.
One with a keyword argument `checked` (default None) can be asked again: `checked` maps the rows that are fixed to their
right labels. It still answers for all rows; where it puts the fixed ones does not matter.
The first line of the module's docstring is its description in `fixfirst ls`.
"""
