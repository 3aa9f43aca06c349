import base64
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from evaluation.contest.standings import leaderboard
from evaluation.contract.record import Curve
from evaluation.contract.registry import task
from evaluation.figures.drawn import picture, roles, saved
from evaluation.figures.page.content import headline, section
from evaluation.figures.page.markup import picture_addresses
from tests.evaluation.figures.page.made_up import IDS, NEEDED, records, scored


@pytest.fixture
def cleaning():
    found = [one for one in records() if one.task == "cleaning" and one.status == "ok"]
    return found, leaderboard(found, task("cleaning"))


def test_a_page_needs_no_other_file_and_warns_of_scores_that_are_the_wrong_way_round(made):
    page, warned = made
    text = page.read_text()
    assert not re.search(r"(src|href)=\"(?!#|data:)", text)
    assert (
        "flipped is worse than random order (+0.200 (+0.200 to +0.200)): its scores seem to be the wrong way" in warned
    )
    assert text.count('<p class="notice">flipped is worse than random order') == 1
    data = json.loads(re.search(r'id="data">(.*?)</script>', text)[1])
    assert [one["name"] for one in data[0]["sets"]] == list(IDS)


def test_pictures_without_room_are_named_instead(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.svg").write_text("<svg/>" * 10)
    inside, beside = picture_addresses(["a", "b"], tmp_path, 100)
    assert base64.b64decode(inside["address"].partition(",")[2]).startswith(b"<svg/>")
    assert beside == {"name": "b", "file": "b.svg", "address": ""}


def test_the_five_best_random_and_bounds_are_in_colour(cleaning):
    found, rows = cleaning
    kinds = roles(rows)
    assert list(kinds.values()) == ["best0", "best1", "best2", "best3", "best4", "rest", "rest", "random", "rest"]
    bound = [*found, *(scored("oracle", d, 1).model_copy(update={"settings": {"bound": True}}) for d in IDS)]
    board = leaderboard(bound, task("cleaning"))
    kinds = roles(board)
    assert (board[0].method, kinds["oracle"], kinds["good"]) == ("oracle", "bound", "best0")
    assert board[1].to_best is None
    assert board[0].to_best.mean < 0
    assert section("cleaning", board, bound, []).said.startswith("good is first of 9: score 0.150")
    alike = [replace(row, mean=board[1].mean) for row in board[:4]]
    assert headline(alike).startswith("good and 2 others share the first place of 3: score 0.150")
    assert saved(picture("a", bound)) == (
        "good reaches 95% of the clean accuracy after 5 of 40 fixes, random order after 28: 23 fixes saved (82%)."
    )


def test_a_long_curve_is_thinned_and_a_row_is_the_one_fixed_last(cleaning):
    long = Curve(fixes=tuple(range(5001)), accuracy=tuple(np.linspace(0.5, 0.9, 5001)), dirty=0.5, clean=0.9)
    order = list(range(5000))[::-1]
    one = scored("good", "a", 5).model_copy(update={"curve": long, "details": {"order": order}})
    found = section("cleaning", leaderboard([one], task("cleaning")), [one], [])
    curve = found.data["sets"][0]["curves"][0]
    assert len(curve["fixes"]) == len(curve["accuracy"]) == len(curve["order"]) == 600
    assert (curve["fixes"][0], curve["fixes"][-1]) == (0, 5000)
    assert curve["order"][0] == -1
    assert [order[fix - 1] for fix in curve["fixes"][1:]] == curve["order"][1:]
    short = section("cleaning", cleaning[1], cleaning[0], []).data["sets"][0]["curves"][0]
    assert "fixes" not in short
    assert len(short["accuracy"]) == 41


def test_what_is_said_against_random_is_a_share_of_its_score(cleaning):
    found, rows = cleaning
    ((_, lines),) = section("cleaning", rows, found, []).tables
    cells = {line.method: [cell.text for cell in line.cells] for line in lines}
    assert cells["good"][1:3] == ["the best", f"{1 - 6 / 29:.0%} less"]
    assert cells["flipped"][2] == f"{37 / 29 - 1:.0%} more"
    assert cells["random"][2] == ""
    assert set(cells) == set(NEEDED)


def test_rounds_have_a_table_of_their_own_and_curves_beside_the_others(cleaning):
    found, _ = cleaning
    again = [scored(f"good in rounds of {every}", d, 1, rounds=every) for every in (4, 20) for d in IDS]
    rows = leaderboard([*found, *again], task("cleaning"))
    shown = section("cleaning", rows, [*found, *again], [])
    assert [(title, len(lines)) for title, lines in shown.tables] == [
        ("cleaning", 9),
        ("cleaning, in rounds of 4 fixes", 1),
        ("cleaning, in rounds of 20 fixes", 1),
    ]
    (line,) = shown.tables[2][1]
    assert (line.number, line.kind, line.place, line.cells[1].text) == (10, "rounds", "1", "the best")
    assert shown.tables[0][1][0].best > line.best == shown.tables[1][1][0].best
    assert shown.said.startswith("good is first of 9: score 0.150")
    assert shown.data["methods"][10]["kind"] == "rounds"
    assert 10 in [curve["method"] for curve in shown.data["sets"][0]["curves"]]
    assert saved(picture("a", [*found, *again])).startswith("good reaches 95% of the clean accuracy after 5 of 40")
