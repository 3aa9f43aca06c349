"""Reference predictors of the sister tasks: a folder per task, one public module each, with one function.

    predict(problem, *, rng: Generator, progress: Progress) -> the answer that the task's problem asks for

The problems are those of `cleaning.problems`; further keyword arguments are options for parameters.yaml. Modules whose
names start with an underscore are shared by predictors.
"""
