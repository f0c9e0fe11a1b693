"""The page that steps through a trace, in a real browser: for every reader, on every screen, on paper, of any trace."""

import importlib.util
import re
from pathlib import Path

import pytest
import step_pages
from drawn_traces import ARRAYS, CUT, HOSTILE, SURVEY, chain, four_digits, with_text
from step_pages import COUNT, assert_state, state

from dualdiff.lecture.drawn.html import to_html

pytestmark = step_pages.NEEDED
browser, opened = step_pages.browser, step_pages.opened


# --- for everybody ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "scheme"),
    [(SURVEY, "light"), (SURVEY, "dark"), (ARRAYS, "light"), (CUT, "dark")],
    ids=["survey-light", "survey-dark", "arrays-light", "cut-dark"],
)
def test_axe_finds_nothing(opened, told, scheme):
    """The checker for accessibility has no complaint at the first, a middle and the last step."""
    package = importlib.util.find_spec("axe_playwright_python")
    if package is None:
        pytest.skip("axe-core is not installed: pip install axe-playwright-python")
    script = Path(package.origin).with_name("axe.min.js").read_text(encoding="utf-8")
    page = opened(told, color_scheme=scheme)
    page.evaluate(script)
    count = int(page.get_attribute("#slider", "max"))
    for step in (1, count // 2, count):
        page.locator("#slider").fill(str(step))
        found = page.evaluate("axe.run()")

        assert [] == [(v["id"], [node["html"] for node in v["nodes"]]) for v in found["violations"]]
        assert len(found["passes"]) > 20


@pytest.mark.parametrize("told", [SURVEY, ARRAYS, CUT, chain(70)], ids=["survey", "arrays", "cut", "chain"])
def test_narrow_screens_have_no_sideways_scroll(opened, told):
    """Graph and table scroll in their own frames; the page itself is never wider than the screen."""
    page = opened(told)
    for width in (320, 390, 1200):
        page.set_viewport_size({"width": width, "height": 844})
        for key in ("Home", "r", "End"):
            page.keyboard.press(key)

            assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("size", [(390, 844), (1000, 560), (1200, 860)])
def test_the_bar_is_in_sight_without_scrolling(opened, size):
    """The buttons stand above the lower edge of any window, and the current box within its frame."""
    page = opened(chain(70), address="#100", viewport=dict(zip(("width", "height"), size, strict=True)))
    bar, box, frame = (page.locator(name).first.bounding_box() for name in (".bar", ".box.now", ".graph .scroll"))

    assert bar["y"] > 0
    assert bar["y"] + bar["height"] <= size[1] + 1
    assert frame["x"] <= box["x"]
    assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1


def test_now_and_done_are_told_without_colour(opened):
    """The current box has a heavier border than all others, the current cell bolder digits; the rest are blank."""
    page = opened(address="#18")
    heavy = page.evaluate("""() => [...document.querySelectorAll(".box")].map((box) =>
      parseFloat(getComputedStyle(box.querySelector("rect")).strokeWidth))""")
    weight = page.evaluate("""() => [...document.querySelectorAll("td[data-pass]")].map((cell) =>
      [cell.classList.contains("now"), Number(getComputedStyle(cell).fontWeight)])""")

    assert all(2 * x <= heavy[3] for i, x in enumerate(heavy) if i != 3)
    assert {(True, 700), (False, 400)} == set(map(tuple, weight))


def test_arrows_turn_round_in_the_reverse_sweep(opened):
    """Forward, arrow heads are at the row; in reverse they are at the operand."""
    page = opened()
    ends = """() => [...document.querySelectorAll(".edge path")].map((path) =>
      [getComputedStyle(path).markerStart !== "none", getComputedStyle(path).markerEnd !== "none"])"""
    for key, heads in (("f", [False, True]), ("r", [True, False])):
        page.keyboard.press(key)

        assert [heads] * 8 == page.evaluate(ends)


def test_readers_who_want_no_motion_get_none(opened):
    """Transitions run only where the reader has nothing against motion."""
    duration = "getComputedStyle(document.querySelector('td')).transitionDuration"

    assert "0s" == opened(reduced_motion="reduce").evaluate(duration)
    assert "0s" != opened(reduced_motion="no-preference").evaluate(duration)


# --- print, and without script ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [SURVEY, chain(70)], ids=["survey", "chain"])
def test_print_shows_everything(opened, told):
    """Printed in the middle, the table is complete, all steps are listed, and the bar is gone."""
    page = opened(told, address="#5", media="print")
    found = state(page)

    assert [
        [four_digits(x) for x in (row["value"], *row["tangents"], row["adjoint"])] for row in told["rows"]
    ] == found["cells"]
    assert len(told["rows"]) * (len(told["directions"]) + 2) == len(found["rules"])
    assert all(found["values"])
    assert not page.locator(".bar").is_visible()
    assert not page.locator(".moving").first.is_visible()


def test_without_script_everything_is_there(opened):
    """No script, no bar: but the whole table, the whole graph and all steps."""
    page = opened(java_script_enabled=False)
    cells = page.locator("td[data-pass]")

    assert [four_digits(x) for row in SURVEY["rows"] for x in (row["value"], *row["tangents"], row["adjoint"])] == (
        cells.all_inner_texts()
    )
    assert all(cell.is_visible() for cell in cells.all())
    assert all(item.is_visible() for item in page.locator(".steps li, .box, .edge path").all())
    assert not page.locator(".bar").is_visible()


# --- other traces ----------------------------------------------------------------------------------------------------


def test_a_long_trace_steps_too(opened):
    """Seventy rows: state is right at steps of every sweep, and the current row is in sight in its frame."""
    told = chain(70)
    page = opened(told)
    for step in (1, 35, 70, 71, 140, 141, 175, 210):
        page.locator("#slider").fill(str(step))
        assert_state(state(page), step, told)
        for current, frame in (("td.now", ".table .scroll"), (".box.now", ".graph .scroll")):
            inner, outer = page.locator(current).bounding_box(), page.locator(frame).bounding_box()
            assert outer["y"] - 1 <= inner["y"]
            assert inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 1


def test_arrays_are_stepped_through(opened):
    """Arrays are shown in table and boxes; operations are told in all only."""
    page = opened(ARRAYS)
    page.keyboard.press("r")
    page.keyboard.press("ArrowRight")
    found = state(page)

    assert "[1 1 1]" in found["cells"][1][4]
    assert "" == found["cells"][0][4]
    assert re.search(r"v̄₁ = .*\[1 1 1\]", found["moving"][1])
    assert {"operations": "", "totals": "in all × 3, + 0"} == {
        key: found["bar"][key] for key in ("operations", "totals")
    }


def test_a_cut_is_one_step(opened):
    """Rows that were cut out are passed in one step of each sweep."""
    page = opened(CUT, address="#4")
    found = state(page)

    assert [3] == found["row"] == found["box"]
    assert "94 more rows" in found["rules"][0]
    assert "94 more rows" in found["said"]
    page.keyboard.press("ArrowRight")
    assert [4] == state(page)["row"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_the_reader_is_never_run(opened, text):
    """Script in source text stays text at every step; the fixture sees that nothing else happened."""
    page = opened(with_text(text))
    for step in range(3, COUNT + 1, 7):  # the row whose formula is that text too
        page.locator("#slider").fill(str(step))
        found = state(page)

        assert f"{step} of {COUNT}" == found["bar"]["step"]
        assert f"Source {text}" in found["said"] or step > 21


def test_in_a_notebooks_frame_the_page_works(browser):
    """Without an address of its own, in a frame that may only run scripts, stepping works and raises nothing."""
    page = browser.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_content("<iframe sandbox='allow-scripts' width='900' height='700'></iframe>")
    page.evaluate("(text) => { document.querySelector('iframe').srcdoc = text; }", to_html(SURVEY))
    frame = page.frame_locator("iframe")
    frame.locator("#next").click()

    assert "2 of 28" == frame.locator("#step").inner_text()
    assert [] == faults
    page.close()
