"""Reference predictors of the sister tasks: one folder per task, one public module per predictor.

    predict(problem, *, rng: Generator, progress: Progress) -> the answer that the task's problem asks for

The problems are defined in `cleaning.problems`. Further keyword arguments are options for parameters.yaml. Modules
whose names start with an underscore are shared by several predictors.
"""
