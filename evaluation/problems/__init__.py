"""Sister tasks as files: one public module a task, with `PROBLEM`, what a predictor is given and what it answers.

Everything a predictor may see of a data id lies in embeddings/{data_id}/; the answers lie elsewhere.
"""
