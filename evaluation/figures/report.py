"""The plot task: figures, leaderboard and a report page, from records alone. It fits no model and reads no data."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from cleaning.errors import FixfirstError
from evaluation.contest.standings import Row, as_cells, as_csv, leaderboard, markdown_table, text_table
from evaluation.contract import registry
from evaluation.contract.record import Record, latest, read_records
from evaluation.files.lock import sweep
from evaluation.files.progress import Reporter
from evaluation.files.whole import write_text, write_whole
from evaluation.settings.folders import Folders

_STYLE = """body{font:16px/1.5 system-ui,sans-serif;color:#222;max-width:72rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;font-size:.9rem;margin:1rem 0;display:block;overflow-x:auto}
th,td{padding:.3rem .8rem;text-align:left;border-bottom:1px solid #ddd;white-space:nowrap}
td:nth-child(n+3){font-variant-numeric:tabular-nums}img{max-width:100%;height:auto;margin:.5rem 0}"""


def plot(folders: Folders, reporter: Reporter) -> None:
    """Writes leaderboard.csv/.md, the overview and per-data-set figures (PNG and SVG), and report.html.

    Raises FixfirstError if there are no scores to draw.
    """
    sweep(folders.results_folder)
    records = latest(read_records(folders.results_file))
    good = [record for record in records if record.status == "ok"]
    if not good:
        raise FixfirstError(
            f"{folders.results_file}: there are no scores yet. "
            "Fix: run `fixfirst evaluate` and correct what it reports."
        )
    boards: dict[str, list[Row]] = {}
    pictures: dict[str, list[str]] = {}
    names = sorted({record.task for record in good}, key=lambda name: (name != "cleaning", name))
    total = sum(len({record.dataset for record in good if record.task == name}) + 1 for name in names)
    with reporter.track("plot", "figures") as progress:
        for name in names:
            boards[name] = leaderboard(records, registry.task(name))
            pictures[name] = _pictures(name, boards[name], [r for r in good if r.task == name], folders.results_folder)
            progress(sum(map(len, pictures.values())), total)
    folder = folders.results_folder
    write_text(folder / "leaderboard.csv", as_csv([boards[name] for name in names]))
    write_text(
        folder / "leaderboard.md",
        "\n".join(f"## {name}\n\n{markdown_table(*as_cells(boards[name]))}" for name in names),
    )
    write_text(folder / "report.html", _page(boards, pictures, [r for r in records if r.status == "failed"]))
    for name in names:
        reporter.say(f"\n{name}\n{text_table(*as_cells(boards[name]))}\n")
    count = sum(map(len, pictures.values()))
    reporter.say(f"{folder}: leaderboard.csv, leaderboard.md, {count} figures (png and svg)\n{folder / 'report.html'}")


def _pictures(name: str, board: Sequence[Row], records: Sequence[Record], folder: Path) -> list[str]:
    """Draws and writes the figures of a task and returns the names of the PNG files, the overview first."""
    from evaluation.figures.canvas import render
    from evaluation.figures.curves import overview_figure

    stem = "overview" if name == "cleaning" else f"{name}_overview"
    written = []
    for title, figure in [(stem, overview_figure(board)), *registry.task(name).figures(records)]:
        for kind in ("png", "svg"):
            write_whole(folder / f"{title}.{kind}", render(figure, kind))
        written.append(f"{title}.png")
    return written


def _page(boards: dict[str, list[Row]], pictures: dict[str, list[str]], failed: Sequence[Record]) -> str:
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>fixfirst report</title><style>{_STYLE}</style><h1>Which labels should I fix first?</h1>"
    ]
    sections = [*boards, *(["failed"] if failed else [])]
    links = " · ".join(f"<a href='#{escape(name, quote=True)}'>{escape(name)}</a>" for name in sections)
    parts.append(f"<nav aria-label='contents'>{links}</nav>")
    for name, rows in boards.items():
        header, cells = as_cells(rows)
        parts.append(f"<h2 id='{escape(name, quote=True)}'>{escape(name)}</h2><table><tr>{_cells('th', header)}</tr>")
        parts += [f"<tr>{_cells('td', line)}</tr>" for line in cells]
        parts.append("</table>")
        for picture in pictures[name]:
            vector = Path(picture).with_suffix(".svg").name
            parts.append(
                f"<a href='{escape(vector, quote=True)}'><img src='{escape(vector, quote=True)}' "
                f"alt='{escape(Path(picture).stem, quote=True)}'></a>"
            )
    if failed:
        parts.append("<h2 id='failed'>failed</h2><ul>")
        parts += [
            f"<li>{escape(r.task)}, {escape(r.dataset)}, {escape(r.method)}: {escape(r.error or '')}</li>"
            for r in failed
        ]
        parts.append("</ul>")
    return "\n".join(parts) + "\n"


def _cells(tag: str, texts: Sequence[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)
