"""One draw of a task's default data: the argument of `write` in the task's made_of_digits.py."""

from dataclasses import dataclass
from pathlib import Path

from evaluation.settings.parameters import Noise


@dataclass(frozen=True)
class Draw:
    """The data id to make, the number of the draw of the digits, and the folders to write to.

    The same number gives the same bytes. noise: the wrong labels to plant, if the block asks for any.
    embeddings, data: the folders shared by all data ids.
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
        """The folder of this data id's ground truth, for tasks that have one."""
        return self.data / self.data_id
