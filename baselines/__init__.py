"""Rankers: one public module each, with one function.

    rank(train: Split, validation: Split | None, *, rng: Generator) -> label-quality scores (n,) or a Ranking

A score is low where the label is suspicious (cleanlab's convention). A ranker sees noisy training labels and clean
validation labels, never test rows or the truth; it leaves its inputs as they are, and raises `Unsuitable` with the
reason where it cannot work. The first line of the module's docstring describes it in `fixfirst ls`.

A bound is no ranker: its `rank` raises `Unsuitable`, and `rank_with_truth(train, validation, truth, *, rng)` reads the
true labels. Bounds are off unless asked for, and never bundled.

Reference predictors of the sister tasks: one public module each, with the name of the task and one function.

    TASK = "logo"
    predict(problem, *, rng: Generator, progress: Progress) -> the answer that task's problem asks for

The problems are those of `cleaning.problems`; further keyword arguments are options for parameters.yaml. Modules whose
names start with an underscore are shared by predictors and are neither.
"""
