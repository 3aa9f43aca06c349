"""Tiny examples, one public module a task, each with `write`, which makes the truth of the data id `example`.

    write(embeddings: Path, data: Path) -> Example

embeddings: the folder embeddings/ of the example's workspace; data: its data/. What the module returns are the texts of
a submission that is fine and of one that is not.
"""
