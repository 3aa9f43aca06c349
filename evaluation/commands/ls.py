"""List data sets, rankers, bounds, predictors, learners, encoders, tasks and metrics."""

import argparse
from typing import TYPE_CHECKING

from evaluation.commands._shared import add_places, folders_of

if TYPE_CHECKING:
    from cleaning.discovery import Registry
    from evaluation.files.progress import Reporter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the paths to read, and --long."""
    add_places(parser, "parameters_file", "embedding_folder", "ranker_folder")
    parser.add_argument(
        "--long", action="store_true", help="also data cards, and what each ranker needs: each is tried on small data"
    )


def run(options: argparse.Namespace) -> int:
    """Prints one line per component; one that cannot be loaded gives a warning with the reason."""
    from cleaning.errors import count_of
    from evaluation.contract import registry
    from evaluation.contract.loading import load_parameters
    from evaluation.datasets.cards import card_lines
    from evaluation.files.progress import Reporter

    folders, reporter = folders_of(options), Reporter()
    if folders.parameters_file.exists():
        reporter.say("data sets")
        for name, block in load_parameters(folders.parameters_file).datasets.items():
            state = "" if block.enabled else " (disabled)"
            sources = ", ".join(source.source for source in block.sources) or "added by hand"
            ids = count_of(len(block.data_ids(name)), "id")
            reporter.say(f"  {name}{state}: {block.task}, {ids}, {sources}")
            for line in card_lines(name, block, folders) if options.long else ():
                reporter.say(f"    {line}")
    found = {
        "rankers": registry.rankers(folders.ranker_folder),
        "bounds": registry.bounds(),
        "predictors": registry.predictors(folders.ranker_folder),
        "learners": registry.learners(),
        "encoders": registry.encoders(),
        "tasks": registry.tasks(),
    }
    for title, components in found.items():
        _list(reporter, title, components, tried=options.long and title == "rankers")
    reporter.say("metrics")
    for name in registry.tasks():
        for metric in registry.task(name).metrics:
            reporter.say(f"  {name}.{metric.name}: {metric.label} ({metric.direction})")
    for line in dict.fromkeys(line for components in found.values() for line in components.warnings()):
        reporter.warn(line)
    return 0


def _list(reporter: "Reporter", title: str, found: "Registry", *, tried: bool) -> None:
    from evaluation.harness.traits import traits

    reporter.say(title if tried or title != "rankers" else f"{title} (--long says what each needs)")
    for name, component in found.items():
        reporter.say(f"  {name}: {component.summary}")
        if tried:
            reporter.say(f"    {traits(component)}")
