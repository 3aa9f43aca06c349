"""One draw of a task's default data: what made_of_digits.py in the folder of a task is handed."""

from dataclasses import dataclass
from pathlib import Path

from evaluation.settings.parameters import Noise


@dataclass(frozen=True)
class Draw:
    """Which data id to make, from which draw of the digits (the same number, the same bytes), and where.

    noise: the wrong labels to plant, where the block asks for some. embeddings, data: the folders of all data ids.
    """

    data_id: str
    number: int
    noise: Noise | None
    embeddings: Path
    data: Path

    @property
    def own_embeddings(self) -> Path:
        """The folder of this data id's embeddings, for tasks that have one."""
        return self.embeddings / self.data_id

    @property
    def own_data(self) -> Path:
        """The folder of this data id's truth, for tasks that have one."""
        return self.data / self.data_id
