"""The download task: data sets from their sources into embeddings/ and data/, whole or not at all."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cleaning.errors import FixfirstError, InvalidInput, Unsuitable
from evaluation.archive import SUFFIXES, unpack
from evaluation.datafiles import PARTS, csv_path, load_dataset, load_truth, parquet_path
from evaluation.digits import write_digits
from evaluation.files import make_folder, plain_errors, read_text, sha256_bytes, sha256_file, write_text
from evaluation.folders import Folders
from evaluation.parameters import DatasetBlock, Source, load_parameters
from evaluation.progress import Reporter
from evaluation.transfer import fetch_url

STAGING = ".staging"


@dataclass(frozen=True)
class _Job:
    """One data set block on its way. Files are staged beside their folder, so that moving them is a rename."""

    name: str
    block: DatasetBlock
    folders: Folders
    reporter: Reporter

    @property
    def embeddings(self) -> Path:
        return self.folders.embedding_folder / STAGING / self.name

    @property
    def data(self) -> Path:
        return self.folders.groundtruth_folder / STAGING / self.name

    @property
    def ids(self) -> tuple[str, ...]:
        return self.block.data_ids(self.name)

    @property
    def recipe(self) -> str:
        """A hash of what decides the files' content, so that an edited block is fetched anew."""
        return sha256_bytes(self.block.model_dump_json(include={"files", "ids", "noise"}).encode())[:16]

    def staged(self, name: str) -> Path | None:
        """Where `…/embeddings/x.parquet` or `…/data/x.csv` is staged; None for any other name."""
        path = PurePosixPath(name)
        if len(path.parts) < 2:
            return None
        known = {"embeddings": (self.embeddings, ".parquet"), "data": (self.data, ".csv")}
        folder, suffix = known.get(path.parts[-2], (None, ""))
        wanted = not self.block.files or f"{path.parts[-2]}/{path.name}" in self.block.files
        return folder / path.name if folder is not None and path.suffix == suffix and wanted else None


def download(folders: Folders, reporter: Reporter) -> None:
    """Brings every enabled data set into the workspace and writes manifest.json (source, sha256, bytes of each file).

    A data set that is there already is left alone. Raises FixfirstError when none of a data set's sources works; what
    other data sets brought stays.
    """
    parameters = load_parameters(folders.parameters_file)
    make_folder(folders.embedding_folder)
    make_folder(folders.groundtruth_folder)
    manifest = _read_manifest(folders.manifest_file)
    for name, block in parameters.enabled("cleaning").items():
        job = _Job(name, block, folders, reporter)
        if not block.sources:
            _check_in_place(job)
            reporter.say(f"{name}: {len(job.ids)} data ids, put there by hand")
        elif _is_complete(job, manifest):
            reporter.say(f"{name}: {len(job.ids)} data ids, there already")
        else:
            source = _from_first_source(job, manifest)
            reporter.say(f"{name}: {len(job.ids)} data ids from {source}")


def _from_first_source(job: _Job, manifest: dict[str, dict[str, object]]) -> str:
    reasons = []
    for source in job.block.sources:
        try:
            _clear(job)
            _fetcher(source)(job, source)
            _check_staged(job)
            _move_into_place(job, source, manifest)
        except FixfirstError as error:
            reasons.append(f"\n  {source.source}: {str(error).removeprefix(source.source + ': ')}")
        else:
            return source.source
        finally:
            _clear(job)
    raise FixfirstError(
        f"data set {job.name}: none of its {len(reasons)} sources works; nothing of it was written:{''.join(reasons)}"
    )


def _fetcher(source: Source) -> Callable[[_Job, Source], None]:
    kinds = {"sklearn": _from_sklearn, "https": _from_web, "http": _from_web, "file": _from_disk, "drive": _from_drive}
    kind = source.source.partition(":")[0]
    if kind not in kinds:
        raise InvalidInput(source.source, "this is no source", "use sklearn:digits, https://…, file:PATH or drive:ID")
    return kinds[kind]


def _from_sklearn(job: _Job, source: Source) -> None:
    if source.source != "sklearn:digits":
        raise InvalidInput(source.source, "there is no such data set in scikit-learn", "use sklearn:digits")
    if job.block.noise is None:
        raise InvalidInput(
            source.source, "the labels are clean", "add `noise: {kind: symmetric, rate: 0.3}` to the block"
        )
    for data_id, draw in zip(job.ids, job.block.noise.draws, strict=True):
        write_digits(data_id, job.block.noise, draw, job.embeddings, job.data)


def _from_web(job: _Job, source: Source) -> None:
    """One archive, or a folder address (ending in /) below which the block's `files` lie."""
    if source.source.endswith("/"):
        if not job.block.files:
            raise InvalidInput(source.source, "it is a folder", "list the block's `files:` with their sha256")
        with job.reporter.track(job.name, len(job.block.files), "files") as update:
            for number, (name, digest) in enumerate(job.block.files.items()):
                part = job.folders.embedding_folder / STAGING / f"{digest}.part"
                fetch_url(source.source + name, digest, part, lambda _done: None)
                _put(job, name, part)
                update(number + 1)
        return
    archive = job.folders.embedding_folder / STAGING / f"{_required_sha256(source)}.part"
    with job.reporter.track(job.name, 0, "bytes") as update:
        fetch_url(source.source, _required_sha256(source), archive, update)
    unpack(archive, job.staged)
    archive.unlink()


def _from_drive(job: _Job, source: Source) -> None:
    digest = _required_sha256(source)
    try:
        import gdown
    except ModuleNotFoundError:
        raise Unsuitable("Google Drive needs the extra `drive`; install it with `pip install '.[drive]'`") from None
    archive = make_folder(job.folders.embedding_folder / STAGING) / f"{digest}.part"
    try:
        gdown.download(id=source.source.partition(":")[2], output=str(archive), quiet=True)
    except Exception as error:
        raise FixfirstError(f"Google Drive refuses the file ({error})") from error
    if not archive.exists() or sha256_file(archive) != digest:
        raise FixfirstError(f"the file from Google Drive does not have the sha256 {digest}")
    unpack(archive, job.staged)
    archive.unlink()


def _from_disk(job: _Job, source: Source) -> None:
    """A folder with embeddings/ and data/, or an archive; a relative path starts at parameters.yaml."""
    path = (job.folders.parameters_file.parent / source.source.partition(":")[2]).resolve()
    if not path.exists():
        raise InvalidInput(source.source, f"there is no {path}", "correct the path (it starts at parameters.yaml)")
    if path.is_dir():
        names = job.block.files or [
            f"{folder}/{file.name}"
            for data_id in job.ids
            for part in PARTS
            for folder, file in (
                ("embeddings", parquet_path(path / "embeddings", data_id, part)),
                ("data", csv_path(path / "data", data_id, part)),
            )
            if file is not None and file.exists()
        ]
        for name in names:
            _put(job, name, path / name, copy=True)
    elif path.name.endswith(SUFFIXES):
        if source.sha256 is not None and sha256_file(path) != source.sha256:
            raise InvalidInput(
                str(path), f"the sha256 is not {source.sha256}", "get the right file or correct the sha256"
            )
        unpack(path, job.staged)
    else:
        raise InvalidInput(
            source.source, "it is neither a folder nor an archive", f"archives end in {', '.join(SUFFIXES)}"
        )


def _put(job: _Job, name: str, file: Path, *, copy: bool = False) -> None:
    target = job.staged(name)
    if target is None:
        raise InvalidInput(name, "it is no embeddings/*.parquet or data/*.csv", "correct the block's `files:`")
    make_folder(target.parent)
    with plain_errors(file, "copy the file"):
        if copy:
            shutil.copyfile(file, target)
        else:
            file.replace(target)


def _required_sha256(source: Source) -> str:
    if source.sha256 is None:
        raise InvalidInput(
            source.source, "no sha256 is given", "write {source: …, sha256: …}; what comes from outside must be known"
        )
    return source.sha256


def _check_staged(job: _Job) -> None:
    """Every listed file is there with its hash, and every data id can be loaded, before anything is moved."""
    for name, digest in job.block.files.items():
        path = job.staged(name)
        if path is None or not path.exists():
            raise InvalidInput(name, "the source does not have this file", "correct the block's `files:`")
        if sha256_file(path) != digest:
            raise InvalidInput(name, f"the sha256 is {sha256_file(path)}, not {digest}", "the source has another file")
    if not job.ids:
        raise InvalidInput(f"data set {job.name}", "it has no ids", "list its data ids under `ids:`")
    for data_id in job.ids:
        load_truth(job.data, load_dataset(job.embeddings, data_id))


def _check_in_place(job: _Job) -> None:
    for data_id in job.ids:
        load_truth(job.folders.groundtruth_folder, load_dataset(job.folders.embedding_folder, data_id))


def _move_into_place(job: _Job, source: Source, manifest: dict[str, dict[str, object]]) -> None:
    for label, staged, final in (
        ("embeddings", job.embeddings, job.folders.embedding_folder),
        ("data", job.data, job.folders.groundtruth_folder),
    ):
        for path in sorted(staged.iterdir()):
            entry: dict[str, object] = {
                "data_set": job.name,
                "recipe": job.recipe,
                "url": source.source,
                "sha256": sha256_file(path),
                "bytes": path.stat().st_size,
            }
            with plain_errors(final / path.name, "move the file into place"):
                path.replace(final / path.name)
            manifest[f"{label}/{path.name}"] = entry
    content = {"schema_version": 1, "files": dict(sorted(manifest.items()))}
    write_text(job.folders.manifest_file, json.dumps(content, indent=1) + "\n")


def _is_complete(job: _Job, manifest: dict[str, dict[str, object]]) -> bool:
    """Whether the manifest has the data set from one of its sources and the files are still those."""
    entries = {name: entry for name, entry in manifest.items() if entry.get("data_set") == job.name}
    sources = {source.source for source in job.block.sources}
    if not entries or any(e["url"] not in sources or e.get("recipe") != job.recipe for e in entries.values()):
        return False
    for name, entry in entries.items():
        folder, _, file = name.partition("/")
        path = (job.folders.embedding_folder if folder == "embeddings" else job.folders.groundtruth_folder) / file
        if not path.exists() or sha256_file(path) != entry["sha256"]:
            return False
    return all(
        parquet_path(job.folders.embedding_folder, data_id, "train") is not None
        and csv_path(job.folders.groundtruth_folder, data_id, "train").exists()
        for data_id in job.ids
    )


def _read_manifest(path: Path) -> dict[str, dict[str, object]]:
    if not path.exists():
        return {}
    try:
        files = json.loads(read_text(path))["files"]
        return {str(name): dict(entry) for name, entry in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(str(path), "this is not a manifest", "delete it and download again") from error


def _clear(job: _Job) -> None:
    for folder in (job.embeddings, job.data):
        shutil.rmtree(folder, ignore_errors=True)
