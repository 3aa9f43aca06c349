"""The download task: copies data sets from their sources into embeddings/ and data/, each completely or not at all."""

import json
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path

from cleaning.errors import FixfirstError, InvalidInput, count_of
from evaluation.contract import registry
from evaluation.contract.loading import load_parameters
from evaluation.datasets.cards import write_croissant
from evaluation.datasets.layout import csv_path, load_dataset, load_truth, parquet_path
from evaluation.datasets.sources import STAGING, Job, bring
from evaluation.files.json import read_json
from evaluation.files.lock import only_writer
from evaluation.files.progress import Reporter
from evaluation.files.whole import make_folder, plain_errors, sha256_file, sha256_tree, write_text
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters, Source


def download(folders: Folders, reporter: Reporter) -> None:
    """Copies every enabled data set into the workspace and writes manifest.json (source, sha256, bytes of each file).

    Beside each data id of the task cleaning it writes a data card, {data_id}_croissant.json.

    A data set that is already present is left alone. Raises FixfirstError if none of a data set's sources works; the
    data sets that were already copied are kept.
    """
    parameters = load_parameters(folders.parameters_file)
    with ExitStack() as locks:
        # always in the same order, and the same folder once
        for folder in sorted({make_folder(folders.embedding_folder), make_folder(folders.groundtruth_folder)}):
            locks.enter_context(only_writer(folder, reporter.warn))
            _clear_staging(folder / STAGING)
        _download(folders, parameters, reporter)


def _download(folders: Folders, parameters: Parameters, reporter: Reporter) -> None:
    manifest = _read_manifest(folders.manifest_file)
    for name, block in parameters.enabled().items():
        job = Job(name, block, folders, reporter)
        if not block.sources:
            _check_in_place(job)
            reporter.say(f"{name}: {count_of(len(job.ids), 'data id')}, added by hand")
        elif _is_complete(job, manifest):
            reporter.say(f"{name}: {count_of(len(job.ids), 'data id')}, already present")
        else:
            source = _from_first_source(job, manifest)
            reporter.say(f"{name}: {count_of(len(job.ids), 'data id')} from {source}")
        try:
            write_croissant(name, block, folders)
        except FixfirstError as error:  # data added by hand may be in a folder that is only read
            reporter.warn(f"{name} has no data card beside it: {error}")


def _from_first_source(job: Job, manifest: dict[str, dict[str, object]]) -> str:
    reasons = []
    for source in job.block.sources:
        try:
            _clear(job)
            bring(job, source)
            _check_staged(job)
            _move_into_place(job, source, manifest)
        except FixfirstError as error:
            reasons.append(f"\n  {source.source}: {str(error).removeprefix(source.source + ': ')}")
        else:
            return source.source
        finally:
            _clear(job)
    raise FixfirstError(
        f"data set {job.name}: none of its {len(reasons)} sources works; nothing was written for it:{''.join(reasons)}"
    )


def _check_staged(job: Job) -> None:
    """Checks, before anything is moved, that every listed file has its hash and that every data id can be loaded."""
    for name, digest in job.block.files.items():
        path = job.staged(name)
        if path is None or not path.exists():
            raise InvalidInput(name, "the source does not have this file", "correct the block's `files:`")
        if sha256_file(path) != digest:
            raise InvalidInput(
                name, f"the sha256 is {sha256_file(path)}, not {digest}", "correct the sha256 or the source"
            )
    if not job.ids:
        raise InvalidInput(f"data set {job.name}", "it has no ids", "list its data ids under `ids:`")
    _check_ids(job, job.embeddings, job.data)


def _check_in_place(job: Job) -> None:
    _check_ids(job, job.folders.embedding_folder, job.folders.groundtruth_folder)


def _check_ids(job: Job, embeddings: Path, data: Path) -> None:
    for data_id in job.ids:
        if job.block.task == "cleaning":
            load_truth(data, load_dataset(embeddings, data_id))
        else:
            registry.problem_files(job.block.task).load(embeddings / data_id)


def _move_into_place(job: Job, source: Source, manifest: dict[str, dict[str, object]]) -> None:
    outdated = {name for name, entry in manifest.items() if entry.get("data_set") == job.name}
    for label, staged, final in (
        ("embeddings", job.embeddings, job.folders.embedding_folder),
        ("data", job.data, job.folders.groundtruth_folder),
    ):
        for path in sorted(staged.iterdir()):
            entry: dict[str, object] = {
                "data_set": job.name,
                "recipe": job.recipe,
                "url": source.source,
                "sha256": sha256_tree(path),
                "bytes": sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file()),
            }
            with plain_errors(final / path.name, "move the file into place"):
                if path.is_dir():
                    shutil.rmtree(final / path.name, ignore_errors=True)
                path.replace(final / path.name)
            manifest[f"{label}/{path.name}"] = entry
            outdated.discard(f"{label}/{path.name}")
    for name in outdated:
        del manifest[name]
        if job.placed(name).is_dir():
            shutil.rmtree(job.placed(name))
        job.placed(name).unlink(missing_ok=True)
    content = {"schema_version": 1, "files": dict(sorted(manifest.items()))}
    write_text(job.folders.manifest_file, json.dumps(content, indent=1) + "\n")


def _is_complete(job: Job, manifest: dict[str, dict[str, object]]) -> bool:
    """Whether the manifest lists the data set from one of its sources and its files have not changed."""
    entries = {name: entry for name, entry in manifest.items() if entry.get("data_set") == job.name}
    sources = {source.source for source in job.block.sources}
    if not entries or any(e["url"] not in sources or e.get("recipe") != job.recipe for e in entries.values()):
        return False
    for name, entry in entries.items():
        path = job.placed(name)
        if not path.exists() or sha256_tree(path) != entry["sha256"]:
            return False
    if job.block.task != "cleaning":
        return all((job.folders.embedding_folder / data_id).is_dir() for data_id in job.ids)
    return all(
        parquet_path(job.folders.embedding_folder, data_id, "train") is not None
        and csv_path(job.folders.groundtruth_folder, data_id, "train").exists()
        for data_id in job.ids
    )


def _read_manifest(path: Path) -> dict[str, dict[str, object]]:
    if not path.exists():
        return {}
    try:
        files = read_json(path)["files"]
        return {str(name): dict(entry) for name, entry in files.items()}
    except (InvalidInput, KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidInput(path, "this is not a manifest", "delete it and run `fixfirst download` again") from error


def _clear_staging(staging: Path) -> None:
    """Removes what a killed run staged. Interrupted downloads, which are files, are kept for the next attempt."""
    for path in staging.iterdir() if staging.is_dir() else ():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):  # missing or not empty
        staging.rmdir()


def _clear(job: Job) -> None:
    for folder in (job.embeddings, job.data):
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # not empty: an interrupted download is kept there for the next attempt
            folder.parent.rmdir()
