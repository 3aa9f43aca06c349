"""Commands that are killed, run twice at once, or cannot write; `nox -s crash` tries much, `make test` a little."""
