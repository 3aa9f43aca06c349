"""The harness behind the commands: parameters, files, submissions and records.

A room imports only from rooms further down this list, which an import-linter contract checks: cli, commands, tasks,
harness, labels, figures, datasets, contest, embedding, submissions, contract, settings, files.
"""
