"""The report page in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from tests.evaluation.figures.page.made_up import HOSTILE, IDS, NEEDED, scored
from tests.evaluation.labels.page.served import FLAGS, chromium

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(made):
    return made[0].as_uri()


@pytest.fixture(scope="module")
def browser():
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, address):
    """Opens the page in a window; fails the test for errors in it and for requests to anywhere."""
    contexts, problems = [], []

    def open_page(**options):
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
        page.on("request", lambda one: one.url.startswith((address, "data:")) or problems.append(one.url))
        page.goto(address)
        expect(page.locator("[data-set='0'] .curve")).to_have_count(len(NEEDED))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def methods(page):
    return page.locator("#task-cleaning tbody th .name").all_inner_texts()


def test_the_table_sorts_by_every_column_and_says_so(opened):
    page = opened()
    assert methods(page) == list(NEEDED)
    head = page.get_by_role("columnheader").filter(has_text="seconds").first
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert methods(page) == list(NEEDED)
    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert methods(page) == list(NEEDED)[::-1]
    expect(page.locator("#announce")).to_contain_text("sorted by seconds, highest first")
    page.get_by_role("button", name="method", exact=True).first.click()
    assert methods(page) == sorted(NEEDED)
    assert page.locator("#task-cleaning th[aria-sort=descending]").count() == 0
    assert page.locator("#task-cleaning tbody svg.bar").count() == len(NEEDED)


def test_pointing_at_a_curve_says_what_was_fixed_and_marks_its_row(opened):
    page = opened()
    plot = page.locator("[data-set='0'] .plot")
    plot.scroll_into_view_if_needed()
    order = scored("random", "a", NEEDED["random"]).details["order"]
    path = page.locator("[data-set='0'] .curve.random .ink")
    place = path.evaluate(
        "(path) => { const p = path.getPointAtLength(path.getTotalLength() * 0.4); "
        "const q = p.matrixTransform(path.getScreenCTM()); return [q.x, q.y]; }"
    )
    page.mouse.move(*place)
    text = page.locator("[data-set='0'] .readout").inner_text()
    fixes = int(text.split("after ")[1].split(" ")[0])
    assert (
        text == f"random after {fixes} fixes: accuracy {0.5 + 0.4 * fixes / 28:.3f}, last fixed: row {order[fixes - 1]}"
    )
    assert page.locator("tr.pointed .name").all_inner_texts() == ["random"]
    page.locator("tr", has_text="fair").first.hover()
    expect(page.locator(".curve.pointed")).to_have_count(len(IDS))
    assert page.locator(".curve.pointed").first.get_attribute("class") == "curve best3 pointed"


def test_the_curves_are_read_by_keyboard_alone(opened):
    page = opened()
    slider = page.get_by_role("slider").first
    assert slider.get_attribute("aria-valuetext") == "no point chosen; use the arrow keys"
    slider.focus()
    order = scored("fine", "a", NEEDED["fine"]).details["order"]
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    assert slider.get_attribute("aria-valuetext") == f"fine after 2 fixes: accuracy 0.600, last fixed: row {order[1]}"
    assert slider.get_attribute("aria-valuenow") == "2"
    page.keyboard.press("End")
    assert slider.get_attribute("aria-valuenow") == "40"
    page.keyboard.press("Home")
    assert slider.get_attribute("aria-valuetext") == "fine after 0 fixes: accuracy 0.500"
    page.keyboard.press("Escape")
    assert page.locator(".pointed").count() == 0


def test_methods_are_switched_off_and_on(opened):
    page = opened()
    page.get_by_label("draw good").uncheck()
    for place in range(len(IDS)):
        expect(page.locator(f"[data-set='{place}'] .curve")).to_have_count(len(NEEDED) - 1)
    expect(page.locator("[data-overview='0'] .off.point")).to_have_count(1)
    page.get_by_role("button", name="the best five and the baselines").click()
    expect(page.locator("[data-set='1'] .curve")).to_have_count(6)
    assert page.get_by_label("draw good").is_checked()
    assert not page.get_by_label("draw poor").is_checked()
    page.get_by_role("button", name="none").click()
    expect(page.locator(".curve")).to_have_count(0)
    page.get_by_role("slider").first.press("ArrowRight")
    page.get_by_role("button", name="draw all").click()
    expect(page.locator("[data-set='2'] .curve")).to_have_count(len(NEEDED))


def test_a_point_of_the_overview_leads_to_its_row_and_a_link_unfolds_a_sister_task(opened):
    page = opened()
    page.get_by_role("link", name="fifth: 0.425, 0.0170 seconds").press("Enter")
    assert page.evaluate("document.activeElement.querySelector('.name').textContent") == "fifth"
    sister = page.locator("#task-zero_shot details")
    assert sister.get_attribute("open") is None
    page.get_by_role("navigation").get_by_role("link", name="zero_shot").click()
    expect(page.locator("#task-zero_shot table")).to_be_visible()
    expect(page.locator("[data-overview='1'] .hollow")).to_have_count(2)
    assert (
        page.locator("#task-zero_shot img").first.evaluate("image => image.decode().then(() => image.naturalWidth)")
        > 300
    )


def test_hostile_names_are_text(opened):
    page = opened()
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    text = page.locator("body").inner_text()
    assert HOSTILE in text
    assert f"{HOSTILE} no" in text
    assert "<b>bold</b>" in text
    assert "b & </script>" in text
    assert page.locator("body b, img[src='x']").count() == 0
    assert page.locator("[data-set='0'] text.name", has_text=HOSTILE).count() == 1
    assert page.locator("script").count() == 2


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1920)])
def test_the_page_is_accessible_fits_every_width_and_prints(scheme, width, opened):
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    page.locator("[data-set='0'] .plot").hover()
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
    for other in (360, 768, 1024, 1920, width):
        page.set_viewport_size({"width": other, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= other
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(22, 26, 36)"


def test_printing_unfolds_what_is_folded(opened):
    page = opened()
    page.pdf()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
