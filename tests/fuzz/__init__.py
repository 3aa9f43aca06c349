"""Mutated inputs for every reader of files that strangers make; `nox -s fuzz` runs many, `make test` a few."""
