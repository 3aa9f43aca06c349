"""The sources of data sets: each copies the files of one block into a staging folder."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cleaning.errors import FixfirstError, InvalidInput, Unsuitable, foreign_reason
from evaluation.contract import registry
from evaluation.contract.draw import Draw
from evaluation.datasets import cifar
from evaluation.datasets.layout import PARTS, csv_path, parquet_path
from evaluation.files.archive import SUFFIXES, unpack
from evaluation.files.names import is_hidden, not_hidden
from evaluation.files.progress import Reporter
from evaluation.files.transfer import fetch_url
from evaluation.files.whole import make_folder, plain_errors, sha256_bytes, sha256_file
from evaluation.settings.folders import Folders, in_image
from evaluation.settings.parameters import DatasetBlock, Source

STAGING = ".staging"


@dataclass(frozen=True)
class Job:
    """One data set block being downloaded. Files are staged inside their final folder, so moving them is a rename."""

    name: str
    block: DatasetBlock
    folders: Folders
    reporter: Reporter

    @property
    def embeddings(self) -> Path:
        """Where parquet files are staged."""
        return self.folders.embedding_folder / STAGING / self.name

    @property
    def data(self) -> Path:
        """Where csv files are staged."""
        return self.folders.groundtruth_folder / STAGING / self.name

    @property
    def ids(self) -> tuple[str, ...]:
        """The data ids of the block."""
        return self.block.data_ids(self.name)

    @property
    def recipe(self) -> str:
        """A hash of everything that determines the files' content, so that an edited block is fetched again."""
        return sha256_bytes(
            self.block.model_dump_json(include={"task", "raw", "files", "ids", "noise", "draws"}).encode()
        )[:16]

    def placed(self, name: str) -> Path:
        """The final path of a file in the manifest."""
        folder, _, file = name.partition("/")
        return (self.folders.embedding_folder if folder == "embeddings" else self.folders.groundtruth_folder) / file

    def staged(self, name: str) -> Path | None:
        """The staging path of `…/embeddings/x.parquet` or `…/data/x.csv`; None for any other name.

        For a sister task the names are `…/embeddings/{data id}/…` and `…/data/{data id}/…`, with any path below them.
        """
        path = PurePosixPath(name)
        if is_hidden(path):
            return None
        if self.block.task != "cleaning":
            return self._staged_below_id(path)
        if len(path.parts) < 2:
            return None
        known = {"embeddings": (self.embeddings, ".parquet"), "data": (self.data, ".csv")}
        folder, suffix = known.get(path.parts[-2], (None, ""))
        wanted = not self.block.files or f"{path.parts[-2]}/{path.name}" in self.block.files
        return folder / path.name if folder is not None and path.suffix == suffix and wanted else None

    def _staged_below_id(self, path: PurePosixPath) -> Path | None:
        for folder, place in (("embeddings", self.embeddings), ("data", self.data)):
            for step in range(len(path.parts) - 2):
                below = PurePosixPath(*path.parts[step + 1 :])
                wanted = not self.block.files or f"{folder}/{below}" in self.block.files
                if path.parts[step] == folder and path.parts[step + 1] in self.ids and wanted:
                    return place / below
        return None


def bring(job: Job, source: Source) -> None:
    """Stages the files of a block from one source. Raises FixfirstError with the reason if that fails."""
    kinds: dict[str, Callable[[Job, Source], None]] = {
        "sklearn": _from_sklearn,
        "cifar": _from_cifar,
        "https": _from_web,
        "http": _from_web,
        "file": _from_disk,
        "drive": _from_drive,
    }
    kind = source.source.partition(":")[0]
    if kind not in kinds:
        raise InvalidInput(
            source.source, "this is not a source", "use sklearn:digits, cifar:LABELS, https://…, file:PATH or drive:ID"
        )
    kinds[kind](job, source)


def _from_sklearn(job: Job, source: Source) -> None:
    if source.source != "sklearn:digits":
        raise InvalidInput(source.source, "this scikit-learn data set is not supported", "use sklearn:digits")
    draws = job.block.draws if job.block.noise is None else job.block.noise.draws
    if not draws or len(job.ids) != len(draws):
        fix = "add `draws: [0]` to the block, or `noise: {kind: symmetric, rate: 0.3}` for the task cleaning"
        raise InvalidInput(source.source, "the block does not list one draw of the digits per data id", fix)
    write = registry.makers_of_digits()[job.block.task].member
    with job.reporter.track(job.name, "data ids") as progress:
        for number, (data_id, draw) in enumerate(zip(job.ids, draws, strict=True), start=1):
            write(Draw(data_id, draw, job.block.noise, job.embeddings, job.data))
            progress(number, len(draws))


def _from_web(job: Job, source: Source) -> None:
    """Downloads one archive, or the block's `files` from a folder URL, which ends in /."""
    if source.source.endswith("/"):
        if not job.block.files:
            raise InvalidInput(source.source, "this is a folder", "list the block's `files:` with their sha256")
        with job.reporter.track(job.name, "files") as progress:
            for number, (name, digest) in enumerate(job.block.files.items()):
                part = job.folders.embedding_folder / STAGING / f"{digest}.part"
                fetch_url(source.source + name, digest, part)
                _put(job, name, part)
                progress(number + 1, len(job.block.files))
        return
    archive = _fetched(job, source)
    unpack(archive, job.staged)
    archive.unlink()


def _fetched(job: Job, source: Source) -> Path:
    """Downloads one file to the staging folder."""
    part = job.folders.embedding_folder / STAGING / f"{_required_sha256(source)}.part"
    with job.reporter.track(job.name, "bytes") as progress:
        return fetch_url(source.source, _required_sha256(source), part, progress)


def _from_cifar(job: Job, source: Source) -> None:
    """Makes data ids of the two files under `raw:`, CIFAR's archive and the labels that people gave its pictures."""
    draws = job.block.draws
    if len(job.block.raw) != 2 or not draws or len(job.ids) != len(draws):
        fix = "list under `raw:` CIFAR's archive and the labels that people gave, and add `draws: [0]`"
        raise InvalidInput(source.source, "it needs two files and the number of a draw per data id", fix)
    staging = make_folder(job.embeddings.parent)
    archive, people = [_raw(job, one) for one in job.block.raw]
    made = [Draw(data_id, draw, None, job.embeddings, job.data) for data_id, draw in zip(job.ids, draws, strict=True)]
    with job.reporter.track(job.name, "data ids") as progress:
        cifar.write(made, (archive, people), source.source.partition(":")[2], staging, progress)
    for path in {archive, people}:
        if path.parent == staging:
            path.unlink()


def _raw(job: Job, source: Source) -> Path:
    """A file under `raw:`, with the sha256 that it should have: where it is, or downloaded."""
    kind, _, place = source.source.partition(":")
    if kind in ("https", "http"):
        return _fetched(job, source)
    if kind != "file":
        raise InvalidInput(source.source, "a file under `raw:` cannot come from there", "use https://… or file:PATH")
    path = _on_disk(job, source.source, place)
    if sha256_file(path) != _required_sha256(source):
        raise InvalidInput(path, f"the sha256 is not {source.sha256}", "use the right file or correct the sha256")
    return path


def _from_drive(job: Job, source: Source) -> None:
    digest = _required_sha256(source)
    try:
        import gdown
    except ModuleNotFoundError:
        raise Unsuitable("Google Drive needs the extra `drive`; install it with `pip install '.[drive]'`") from None
    archive = make_folder(job.folders.embedding_folder / STAGING) / f"{digest}.part"
    try:
        gdown.download(id=source.source.partition(":")[2], output=str(archive), quiet=True)
    except Exception as error:
        raise FixfirstError(f"Google Drive refused the download ({foreign_reason(error)})") from error
    if not archive.exists() or sha256_file(archive) != digest:
        raise FixfirstError(f"the file from Google Drive does not have the sha256 {digest}")
    unpack(archive, job.staged)
    archive.unlink()


def _from_disk(job: Job, source: Source) -> None:
    """Copies from a folder with embeddings/ and data/, or from an archive.

    A relative path starts at the folder of parameters.yaml.
    """
    path = _on_disk(job, source.source, source.source.partition(":")[2])
    if path.is_dir():
        for name in job.block.files or _names_in(path, job):
            _put(job, name, path / name, copy=True)
    elif path.name.endswith(SUFFIXES):
        if source.sha256 is not None and sha256_file(path) != source.sha256:
            raise InvalidInput(path, f"the sha256 is not {source.sha256}", "use the right file or correct the sha256")
        unpack(path, job.staged)
    else:
        raise InvalidInput(
            source.source,
            "it is neither a folder nor an archive",
            f"use a folder, or an archive that ends in {', '.join(SUFFIXES)}",
        )


def _on_disk(job: Job, name: str, place: str) -> Path:
    """A path, relative to the folder of parameters.yaml, where there is something. name: how the block writes it."""
    path = (job.folders.parameters_file.parent / place).resolve()
    workspace = job.folders.parameters_file.parent.resolve()
    if not path.exists() and in_image() and not path.is_relative_to(workspace):
        problem = "it is outside the workspace, and only the workspace is mounted in this container"
        raise InvalidInput(name, problem, "put the files into the workspace, and name them from there")
    if not path.exists():
        raise InvalidInput(name, f"{path} does not exist", "correct the path (relative to parameters.yaml)")
    return path


def _names_in(path: Path, job: Job) -> list[str]:
    """The files of the block that exist in a folder with embeddings/ and data/, as `embeddings/…` and `data/…`."""
    if job.block.task != "cleaning":
        return [
            file.relative_to(path).as_posix()
            for data_id in job.ids
            for folder in ("embeddings", "data")
            for file in not_hidden((path / folder / data_id).rglob("*"), path / folder / data_id)
            if file.is_file()
        ]
    return [
        f"{folder}/{file.name}"
        for data_id in job.ids
        for part in PARTS
        for folder, file in (
            ("embeddings", parquet_path(path / "embeddings", data_id, part)),
            ("data", csv_path(path / "data", data_id, part)),
        )
        if file is not None and file.exists()
    ]


def _put(job: Job, name: str, file: Path, *, copy: bool = False) -> None:
    target = job.staged(name)
    if target is None:
        raise InvalidInput(name, "this is not embeddings/*.parquet or data/*.csv", "correct the block's `files:`")
    make_folder(target.parent)
    with plain_errors(file, "copy the file"):
        if copy:
            shutil.copyfile(file, target)
        else:
            file.replace(target)


def _required_sha256(source: Source) -> str:
    if source.sha256 is None:
        raise InvalidInput(
            source.source, "no sha256 is given", "write {source: …, sha256: …}, so that the download can be verified"
        )
    return source.sha256
