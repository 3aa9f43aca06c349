"""The harness: what the commands do with parameters, files, submissions and records.

Imports only go down, in this order, which a contract of import-linter checks: cli, commands, tasks, harness, labels,
figures, datasets, contest, embedding, submissions, contract, settings, files.
"""
