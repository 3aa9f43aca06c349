"""The study's tables and figure, made from its rows alone."""

import math
from pathlib import Path

import pandas as pd

from cleaning.intervals import mean_interval

OURS = ("expected_use", "label_posterior")
BEST = "expected_use"
ALONE = " without validation"
BOUNDS = ("oracle_errors_first", "oracle_influence")


def write_report(rows_file: Path, folder: Path) -> str:
    """Writes table.csv, sets.csv, noises.csv, table.md, study.png and study.svg; returns the text of table.md.

    Shared data ids come with their own noise and exist only once, so they get a separate table and are left out of the
    means.
    """
    rows = pd.read_csv(rows_file, dtype={"seed": int})
    found = rows["noise"] == "as found"
    parts = _planted(rows[~found], folder) if not found.all() else []
    if found.any():
        ids = rows[found].pivot_table(index="ranker", columns="source", values="fraction_fixes")
        ids.insert(0, "mean", ids.mean(axis=1))
        learner = ", ".join(sorted(set(rows[found]["learner"])))
        parts += [f"Shared DataPerf ids, fraction_fixes, learner {learner}", _markdown(ids.sort_values("mean"))]
    text = "\n\n".join(parts) + "\n"
    (folder / "table.md").write_text(text)
    return text


def _planted(rows: pd.DataFrame, folder: Path) -> list[str]:
    """Writes the files about the cases with planted noise and returns their parts of table.md."""
    table = summary(rows)
    by_set = rows.pivot_table(index="ranker", columns="source", values="score").reindex(table.index)
    by_noise = rows.assign(kind=rows["noise"] + rows["rate"].map(" {:.0%}".format))
    by_noise = by_noise.pivot_table(index="ranker", columns="kind", values="score").reindex(table.index)
    table.to_csv(folder / "table.csv")
    by_set.to_csv(folder / "sets.csv")
    by_noise.to_csv(folder / "noises.csv")
    draw(table, folder)
    parts = [_headline(rows), _markdown(table), "Score by data set", _markdown(by_set)]
    parts += ["Score by noise", _markdown(by_noise)]
    for suffix in ("", ALONE):
        known = rows[rows["ranker"] == f"label_posterior{suffix}"]
        if len(known):
            parts += [f"Expected number of wrong labels{suffix} (90% intervals)", _markdown(calibration(known))]
    return parts


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per ranker, best first: the mean score with its 95% t-interval over seeds, and further columns.

    Each seed is one replicate of the whole study (a mean over sets and noises), so the interval tells how much the mean
    would change on other draws of the same sets. wins: the share of cases in which expected_use needs fewer fixes than
    this ranker; a tie counts one half.
    """
    cases = ["source", "noise", "rate", "seed"]
    scores = rows.pivot_table(index=cases, columns="ranker", values="score").dropna()
    whole = scores.groupby("seed").size()
    # a stopped run leaves a seed with only some of its cases, a different mix of sets: leave that seed out
    seeds = scores.groupby("seed").mean()[whole == whole.max()]
    bounds = {name: mean_interval(values.tolist()) or (math.nan, math.nan) for name, values in seeds.items()}
    table = pd.DataFrame({"score": seeds.mean()}).join(pd.DataFrame(bounds, index=["low", "high"]).T)
    if BEST in scores:
        best = scores[BEST].to_numpy()[:, None]
        table[f"{BEST} wins"] = ((scores > best).mean() + (scores == best).mean() / 2).where(scores.columns != BEST)
    grouped = rows.groupby("ranker")
    table["area"], table["precision"] = grouped["area"].mean(), grouped["precision"].mean()
    table["seconds"] = grouped["seconds"].median()
    return table.sort_values("score")


def calibration(rows: pd.DataFrame) -> pd.DataFrame:
    """Per noise: mean true and expected number of wrong labels, and how often the interval contains the true number.

    Cases without a number, because the data cannot tell, only count in the last column, their share.
    """
    silent = rows["expected"].isna()
    inside = ((rows["low"] <= rows["wrong"]) & (rows["wrong"] <= rows["high"])).astype(float).where(~silent)
    known = rows.assign(
        inside=inside,
        width=(rows["high"] - rows["low"]).where(~silent),
        error=(rows["expected"] - rows["wrong"]).abs(),
        **{"no number": silent.astype(float)},
    )
    columns = ["wrong", "expected", "error", "width", "inside", "no number"]
    table = known.groupby(["noise", "rate"])[columns].mean()
    everything = known[columns].mean().to_frame(("all", "")).T
    joined = pd.concat([table, everything])
    joined.index = pd.Index([" ".join(str(part) for part in name).strip() for name in joined.index], name="noise")
    return joined


def draw(table: pd.DataFrame, folder: Path) -> None:
    """Draws the mean scores with their intervals, best on top. Bounds, which read the truth, have hollow markers."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.36 * len(table) + 1.1), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for place, (name, line) in enumerate(table.iloc[::-1].iterrows()):
        ours, bound = str(name).startswith(OURS), name in BOUNDS
        colour = "#0072b2" if ours else "#555555"
        axes.errorbar(
            line["score"],
            place,
            xerr=[[line["score"] - line["low"]], [line["high"] - line["score"]]],
            fmt="D" if ours else "o",
            color=colour,
            markerfacecolor="white" if bound else colour,
            capsize=3,
        )
        axes.annotate(f"{line['score']:.3f}", (line["high"], place), (6, 0), textcoords="offset points", va="center")
    names = [f"{name} (reads the truth)" if name in BOUNDS else str(name) for name in table.index[::-1]]
    axes.set_yticks(range(len(table)), names)
    axes.set_xlim(0, float(table["high"].max()) * 1.12)
    axes.set_xlabel(
        "share of labels to fix to reach 95% of the clean accuracy\n(mean and 95% interval; lower is better)"
    )
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(folder / "study.png", dpi=150)
    figure.savefig(folder / "study.svg", metadata={"Date": None})


def _headline(rows: pd.DataFrame) -> str:
    cases = len(rows[["source", "noise", "rate", "seed"]].drop_duplicates())
    seeds, sets = rows["seed"].nunique(), rows["source"].nunique()
    return (
        f"{cases} cases: {sets} data sets, {rows[['noise', 'rate']].drop_duplicates().shape[0]} noises, {seeds} seeds."
    )


def _markdown(table: pd.DataFrame) -> str:
    header = [str(table.index.name or ""), *(str(column) for column in table.columns)]
    lines = [header, ["---", *("---:" for _ in table.columns)]]
    for name, values in zip(table.index, table.to_numpy(), strict=True):
        lines.append([str(name), *("" if pd.isna(value) else f"{value:.3f}" for value in values)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
