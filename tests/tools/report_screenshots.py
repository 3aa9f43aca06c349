"""Screenshots of a report page, to look at: python -m tests.tools.report_screenshots PAGE FOLDER."""

import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.evaluation.labels.page.served import FLAGS, chromium

_SIZES = {"light": (1440, "light"), "dark": (1440, "dark"), "wide": (1920, "light"), "narrow": (360, "light")}


def make(page: Path, folder: Path, browser: Browser) -> None:
    """Writes report_light.png, report_dark.png, report_wide.png, report_narrow.png and report.pdf, as it prints."""
    for name, (width, scheme) in _SIZES.items():
        context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme)
        window = context.new_page()
        window.goto(page.resolve().as_uri())
        plot = window.locator("[data-set] .plot").first
        if plot.count():
            plot.hover(position={"x": 200, "y": 90})
        window.wait_for_timeout(300)
        window.screenshot(path=folder / f"report_{name}.png", full_page=True)
        if name == "light":
            window.pdf(path=folder / "report.pdf")
        context.close()


def main() -> None:
    page, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        make(page, folder, browser)
        browser.close()


if __name__ == "__main__":
    main()
