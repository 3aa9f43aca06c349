"""The review page in a real browser."""

import errno
import json
import os
import re
import signal
import subprocess
import sys

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from evaluation.cli import main
from evaluation.labels.opened import open_review
from evaluation.labels.page.markup import SCRIPTS
from tests.evaluation.labels.own_data import Rows
from tests.evaluation.labels.page.served import FLAGS, chromium, large, photos, ranked, served
from tests.support import ROOT

pytestmark = pytest.mark.slow
expect.set_options(timeout=60_000)
GONE = re.compile("ERR_CONNECTION_(REFUSED|RESET)")
REFUSED = re.compile(f"status of 400|{GONE.pattern}")


@pytest.fixture(scope="module")
def browser():
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def complaints(message, expected):
    """Errors in the console, but for those that the test expects, by default those of a server that has been ended."""
    return [message.text] if message.type == "error" and not expected.search(message.text) else []


@pytest.fixture
def opened(browser):
    """Opens a page in a window of its own; fails the test for errors in it and for requests to anywhere else."""
    contexts, problems = [], []

    def open_page(address, context=None, expected=GONE, **options):
        if context is None:
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
            context.set_default_timeout(60_000)
            contexts.append(context)
        own = address.split("#")[0]
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("console", lambda message: problems.extend(complaints(message, expected)))
        page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
        page.on(
            "request", lambda request: request.url.startswith((own, "data:", "blob:")) or problems.append(request.url)
        )
        page.goto(address)
        expect(page.locator("#main .question")).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    truth = photos(folder / "photos", count=42)
    ranked(folder / "photos")
    return folder, truth


@pytest.fixture
def review(originals, tmp_path):
    import shutil

    shutil.copytree(originals[0], tmp_path / "data")
    return tmp_path / "data" / "photos_review"


def shown_id(page):
    return page.locator(".meta .id").inner_text()


def press(page, key, times=1):
    for _ in range(times):
        before = shown_id(page)
        page.keyboard.press(key)
        expect(page.locator(".meta .id")).not_to_have_text(before)


def saved(page, count):
    """Waits until the page says that so many rows have been looked at."""
    expect(page.locator("#tally")).to_contain_text(re.compile(rf"found in {count} looks?\b"))
    expect(page.locator("#saved")).to_contain_text("saved ")


def percent(share):
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def decided(review):
    return [(entry.id, entry.verdict, entry.label) for entry in open_review(review).log.entries]


def test_a_whole_review_by_keyboard_alone_gives_the_right_labels(opened, originals, review, tmp_path):
    truth = originals[1]
    seen = []
    with served(review) as page_of:
        page = opened(page_of.address)
        between = r"\d+ to \d+"  # an interval as wide as this is said without a number in it, as `fixfirst rank` does
        expect(page.locator("#tally")).to_have_text(re.compile(f"· {between} left · next 20 looks: {between}$"))
        for done in range(len(truth)):
            name = shown_id(page)
            given, true = name.split("/")[0], truth[name.split("/")[1]]
            suggested = page.locator(".actions .first .name").inner_text()
            seen.append(page.locator(".meta").inner_text())
            last = done == len(truth) - 1
            if suggested == true:
                page.keyboard.press(" ")
            elif given == true:
                page.keyboard.press("k")
            else:
                page.keyboard.press("c")
                page.keyboard.type(true[:3])
                page.keyboard.press("Enter")
            if not last:
                expect(page.locator(".meta .id")).not_to_have_text(name)
        expect(page.locator(".finished")).to_contain_text("Every row has been looked at.")
        saved(page, len(truth))
        expect(page.locator(".side")).to_contain_text("The order was renewed after")
        assert page_of.desk.round.number >= 2
    entries = open_review(review).log.entries
    for entry, meta in zip(entries, seen, strict=True):
        place, share = entry.shown.place, percent(entry.shown.probability)
        assert re.search(rf"\b{place}(st|nd|rd|th) in the order · {share} {entry.shown.suggested}", meta)
    assert entries[-1].shown.round >= 2
    clean = tmp_path / "clean"
    assert main(["apply", str(review), f"--output={clean}"]) == 0
    found = {path.name.split(" (from")[0].removesuffix(".png"): path.parent.name for path in clean.rglob("*.png")}
    assert found == {name.removesuffix(".png"): label for name, label in truth.items()}


def test_undo_redo_and_skipping(opened, review):
    with served(review) as page_of:
        page = opened(page_of.address)
        first = shown_id(page)
        press(page, " ")
        second = shown_id(page)
        press(page, "d")
        third = shown_id(page)
        press(page, "j")
        press(page, "u")
        saved(page, 3)
        press(page, "z", 2)
        assert shown_id(page) == second
        saved(page, 1)
        page.keyboard.press("y")
        saved(page, 2)
        page.keyboard.press("z")
        saved(page, 1)
        page.keyboard.press("z")
        saved(page, 0)
        expect(page.locator(".meta .id")).to_have_text(first)
        page.keyboard.press("z")
        expect(page.locator("#notice")).to_contain_text("nothing to undo")
    verdicts = [verdict for _, verdict, _ in decided(review)]
    assert verdicts[1:] == ["drop", "unsure", "undo", "undo", "drop", "undo", "undo"]
    assert third != first


def test_keys_pressed_faster_than_rows_appear_decide_no_row_twice(opened, review):
    with served(review) as page_of:
        page = opened(page_of.address)
        for _ in range(25):
            page.keyboard.press("d")
        key = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'd', bubbles: true}));"
        page.evaluate(key * 5)
        expect(page.locator("#saved")).to_contain_text("saved ")
        rows = [name for name, _, _ in decided(review)]
        assert len(set(rows)) == len(rows) >= 5
        assert shown_id(page) not in rows


def test_marked_rows_of_a_grid_are_one_action(opened, review):
    with served(review) as page_of:
        page = opened(page_of.address)
        page.keyboard.press("g")
        tiles = page.locator(".choice")
        expect(tiles.first).to_be_visible()
        kind = page.evaluate("location.hash")
        assert "given=" in kind
        count = tiles.count()
        page.keyboard.press("a")
        expect(page.locator(".choice[aria-pressed=true]")).to_have_count(count)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("x")
        expect(page.locator(".choice[aria-pressed=true]")).to_have_count(count - 1)
        page.keyboard.press("x")
        page.keyboard.press("Enter")
        saved(page, count)
        expect(page.locator(".choice.fixed")).to_have_count(count)
        page.keyboard.press("z")
        saved(page, 0)
        expect(page.locator(".choice.open")).to_have_count(count)
        page.keyboard.press("v")
        expect(page.locator(".meta .id")).to_be_visible()
        assert "given=" not in page.evaluate("location.hash")
    found = decided(review)
    assert [verdict for _, verdict, _ in found] == ["label"] * count + ["undo"] * count
    entries = open_review(review).log.entries
    assert len({entry.at for entry in entries}) == 2


def test_reloading_shows_the_same_place_and_loses_nothing(opened, review):
    with served(review) as page_of:
        desk = page_of.desk
        desk.classes += [f"class {number}" for number in range(4, 11)]
        desk.code |= {label: code for code, label in enumerate(desk.classes)}
        page = opened(page_of.address)
        press(page, "0")
        press(page, " ", 2)
        saved(page, 3)
        assert decided(review)[0][2] == "class 10"
        name = shown_id(page)
        page.reload()
        expect(page.locator(".meta .id")).to_have_text(name)
        saved(page, 3)
        press(page, "z")
        saved(page, 2)
        page.goto(f"{page_of.address}#/list?state=fixed")
        page.reload()
        expect(page.locator(".list .question")).to_contain_text("2 rows")


def test_rows_that_look_right_have_no_colour_of_doubt(opened, review):
    with served(review) as page_of:
        page = opened(f"{page_of.address}#/grid")
        tiles, right = page.locator(".caption"), page.locator(".caption", has_text="looks right")
        expect(right.first).to_be_visible()
        assert page.locator(".caption .given").count() == tiles.count() - right.count() > 0
        page.keyboard.press("l")
        doubted = page.locator(".rows .line:has(.suggested)")
        expect(doubted.first).to_be_visible()
        assert page.locator(".rows .given").count() == doubted.count() < page.locator(".rows .line").count()


def test_what_is_said_to_be_saved_survives_kill_9(opened, review):
    command = [sys.executable, "-m", "evaluation.cli", "review", str(review), "--no-browser", "--as=ann"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'cleaning'}"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as server:
        address = next(found[0] for line in server.stdout if (found := re.search(r"http://\S+", line)))
        page = opened(address)
        press(page, " ", 4)
        saved(page, 4)
        server.send_signal(signal.SIGKILL)
    page.keyboard.press("d")
    expect(page.locator("#saved")).to_contain_text("not saved: no answer")
    page.keyboard.press("l")
    expect(page.locator("#notice.bad")).to_contain_text("fixfirst does not answer")
    assert len(decided(review)) == 4
    with review.joinpath("decisions.jsonl").open("ab") as log:
        log.write(b'{"id": "half a li')
    with served(review) as page_of:
        again = opened(page_of.address)
        saved(again, 4)
        press(again, " ")
        saved(again, 5)
    assert len(decided(review)) == 5


def test_what_is_not_saved_is_said_in_red_until_a_decision_is_saved(opened, review, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with served(review) as page_of:
        page = opened(page_of.address, expected=REFUSED)
        first, notice = shown_id(page), page.locator("#notice")
        with monkeypatch.context() as patch:
            patch.setattr("evaluation.labels.decisions.append", full)
            press(page, " ")
            expect(page.locator("#notice.bad[role=alert]")).to_contain_text("(No space left on device)")
            expect(notice).to_contain_text("Fix: free some disk space, then try again.")
            page.keyboard.press("g")
            page.locator(".choice").first.click()
            page.keyboard.press("d")
            expect(page.locator(".choice.dropped")).to_have_count(0)
        with page.expect_response("**/api/state"):
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator("#saved.bad")).to_have_text("not saved")
        expect(notice).to_be_visible()
        page.keyboard.press("v")
        press(page, "k")
        saved(page, 1)
        expect(notice).to_be_hidden()
        page.keyboard.press("y")
        expect(page.locator("#notice:not(.bad)")).to_have_text("There is nothing to redo.")
        page.keyboard.press("l")
        expect(notice).to_be_hidden()
        page.goto(f"{page_of.address}#/look")
        page.reload()
        expect(page.locator(".meta .id")).to_have_text(first)


def test_two_tabs_and_two_reviewers_lose_nothing(opened, review):
    with served(review) as page_of, served(review, "bob") as other:
        one = opened(page_of.address)
        two = opened(page_of.address, one.context)
        bob = opened(other.address)
        same = shown_id(one)
        assert same == shown_id(two) == shown_id(bob)
        press(one, " ")
        press(bob, "k")
        saved(one, 1)
        press(two, "j", 2)
        press(two, "d")
        saved(two, 2)
        for page in (one, two, bob):
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            saved(page, 2)
        expect(bob.locator(".side")).to_contain_text("1 row on which reviewers disagree")
        bob.get_by_role("button", name="1 row on which reviewers disagree").click()
        expect(bob.locator(".meta .id")).to_have_text(same)
        expect(bob.locator(".decided")).to_contain_text("ann")
        expect(bob.locator(".decided")).to_contain_text("bob: keep")
    assert len(decided(review)) == 3


def test_fifty_thousand_rows_are_scrolled_and_searched(opened, tmp_path):
    with served(large(tmp_path)) as page_of:
        page = opened(f"{page_of.address}#/list")
        expect(page.locator(".list .question")).to_contain_text("50,000 rows")
        order = page_of.desk.round.order
        names = page_of.desk.review.source.ids
        expect(page.locator("#line-0 .name").first).to_have_text(names[order[0]])
        scroller = page.locator(".scroller")
        for share in (0.31, 0.77, 1):
            scroller.evaluate(f"node => node.scrollTo(0, {share} * node.scrollHeight)")
            place = page.evaluate("Math.floor(document.querySelector('.scroller').scrollTop / 52) + 2")
            expect(page.locator(f"#line-{place} .id")).to_have_text(names[order[place]])
        assert page.locator(".rows .line").count() < 60
        scroller.focus()
        page.keyboard.press("End")
        expect(page.locator("#line-49999 .id")).to_have_text(names[order[-1]])
        page.keyboard.press("/")
        page.keyboard.type("4321")
        page.keyboard.press("Enter")
        expect(page.locator(".list .question")).to_contain_text("15 rows")
        assert page.evaluate("document.documentElement.outerHTML.length") < 60_000


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1920)])
def test_every_view_is_accessible_and_fits_every_width(scheme, width, opened, review):
    with served(review) as page_of:
        page = opened(
            page_of.address, color_scheme=scheme, viewport={"width": width, "height": 800}, reduced_motion="reduce"
        )
        press(page, " ")
        saved(page, 1)
        for key in ("", "?", "c", "g", "l"):
            page.keyboard.press(key or "Shift")
            expect(page.locator("dialog" if key in ("?", "c") else ".question").first).to_be_visible()
            page.wait_for_timeout(60)
            found = Axe().run(page).response["violations"]
            assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
            for other in (360, 768, 1024, 1920, 3840, width):
                page.set_viewport_size({"width": other, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth") <= other
            if key in ("?", "c"):
                page.keyboard.press("Escape")
                expect(page.locator("dialog")).to_have_count(0)


HOSTILE = ("<img src=x onerror=alert(1)>", "\"'><script>alert(2)</script>", "abc\u202ecba", "a & b </script>")


@pytest.fixture
def hostile(tmp_path):
    rows = Rows(n=60)
    names = dict(zip(("bird", "cat", "dog"), HOSTILE, strict=False))
    frame = rows.frame(id=[f"{HOSTILE[row % 4]}{row}" for row in range(60)])
    frame["label"] = [names[name] for name in frame["label"]]
    frame["<b>column</b>"] = [HOSTILE[row % 3] for row in range(60)]
    frame.to_csv(tmp_path / "h.csv", index=False)
    return ranked(tmp_path / "h.csv", "--features=e*")


def test_hostile_names_are_text(opened, hostile, tmp_path):
    page_file = tmp_path / "page.html"
    assert main(["review", str(hostile), f"--static={page_file}"]) == 0
    with served(hostile) as page_of:
        for address in (page_of.address, page_file.as_uri()):
            page = opened(address)
            for key in ("", "c", "g", "l"):
                page.keyboard.press(key or "Shift")
                page.wait_for_timeout(80)
                text = page.locator("body").inner_text()
                assert "<img src=x onerror=alert(1)>" in text or key == "g"
                assert "\u202e" not in text
                scripts = page.locator("img, script:not([src]):not([id=start])").count()
                assert scripts == (0 if address == page_of.address else len(SCRIPTS))
                page.keyboard.press("Escape")
            assert page.title() == "h – fixfirst review"


def test_votes_are_shown_and_filter_the_rows(opened, tmp_path):
    rows = Rows(n=60)
    frame = rows.frame().drop(columns="label").assign(**dict.fromkeys(HOSTILE[:3], rows.names))
    frame.loc[0, HOSTILE[0]] = "dog" if rows.names[0] != "dog" else "cat"
    frame.loc[1:10, HOSTILE[1]] = None
    frame.to_csv(tmp_path / "v.csv", index=False)
    page_file = tmp_path / "page.html"
    names = ",".join('"' + name.replace('"', '""') + '"' for name in HOSTILE[:3])
    assert main(["review", str(ranked(tmp_path / "v.csv", f"--label-column={names}")), f"--static={page_file}"]) == 0
    with served(tmp_path / "v_review") as page_of:
        for address in (page_of.address, page_file.as_uri()):
            page = opened(f"{address}#/look?row=1")
            expect(page.locator(".votes")).to_contain_text(f": {HOSTILE[0]}")
            expect(page.locator(".votes")).to_contain_text(f"1 no vote: {HOSTILE[1]}")
            assert Axe().run(page).response["violations"] == []
            page.locator("[data-filter=annotator]").select_option(HOSTILE[0])
            page.locator("[data-filter=vote]").select_option("against")
            page.locator("[data-view=list]").click()
            expect(page.locator(".question")).to_have_text(re.compile("^1 row "))
            page.locator("[data-filter=vote]").select_option("")
            expect(page.locator(".question")).to_have_text(re.compile("^60 rows"))
            page.locator("[data-filter=annotator]").select_option(HOSTILE[1])
            expect(page.locator(".question")).to_have_text(re.compile("^50 rows"))


def test_one_file_without_a_server_and_what_comes_back(opened, review, tmp_path, capsys):
    page_file = tmp_path / "page.html"
    assert main(["review", str(review), f"--static={page_file}", "--size=1"]) == 0
    page = opened(page_file.as_uri(), accept_downloads=True)
    assert page.locator(".frame img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 32
    first = shown_id(page)
    expect(page.get_by_text("No row has been looked at yet.")).to_have_count(1)
    press(page, " ", 1)
    expect(page.locator(".curve figcaption")).to_contain_text(re.compile("1 look$"))
    press(page, " ", 1)
    press(page, "d")
    press(page, "z")
    press(page, "k")
    page.get_by_role("button", name="download decisions").click()
    expect(page.get_by_label("your name")).to_be_focused()
    assert page.locator("#by input").evaluate("input => input.validationMessage").startswith("Write your name here")
    page.get_by_label("your name").fill("guest")
    page.get_by_label("your name").press("Enter")
    assert page.locator("#by input").evaluate("input => input.validity.valid")
    assert Axe().run(page).response["violations"] == []
    page.reload()
    expect(page.locator("#tally")).to_contain_text("in 3 looks")
    expect(page.locator("#saved")).to_contain_text("kept by the browser ")
    with page.expect_download() as download:
        page.get_by_role("button", name="download decisions").click()
    download.value.save_as(tmp_path / "decisions.jsonl")
    assert main(["decisions", str(tmp_path / "decisions.jsonl"), f"--review={review}"]) == 0
    assert "3 decisions added" in capsys.readouterr().out
    found = open_review(review).log.entries
    assert [entry.verdict for entry in found] == ["label", "label", "keep"]
    assert {entry.by for entry in found} == {"guest"}
    assert found[0].id == first
    assert json.loads(review.joinpath("decisions.jsonl").read_text().splitlines()[0])["shown"]["place"] == 1
