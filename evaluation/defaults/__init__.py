"""Default data of the sister tasks: one public module a task, each with `write`, which makes a data id from digits.

    write(draw: int, embeddings: Path, data: Path)

1,797 real 8 × 8 scans that come inside scikit-learn, in the file layouts of the original challenges. The pictures are
in one archive, pictures.zip, because thousands of small files cost more time than everything else. They are digits, not
products, logos or animals: good for trying every step, not for saying how well a method does on photographs.
"""
