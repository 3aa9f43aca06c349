"""The tasks: one folder per task, and nothing else to edit.

task.py             TASK: how submissions are found, checked, scored and plotted
problem.py          PROBLEM: what a predictor receives, and how its answer is written (sister tasks)
made_of_digits.py   write(draw): default data made from scikit-learn's digits
example.py          write(embeddings, data): a tiny example for `fixfirst example`
"""
