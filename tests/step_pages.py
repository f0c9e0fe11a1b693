"""The page that steps through a trace, opened in a real browser, and what there is to see at every step."""

import importlib.util
import os
import re
import shutil
import time

import pytest
from drawn_traces import SURVEY, four_digits

from dualdiff.lecture.drawn.html import to_html
from dualdiff.lecture.drawn.notation import barred, dotted, unicode_text

__all__ = ["COUNT", "NEEDED", "assert_state", "browser", "opened", "state", "until"]

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
NEEDED = [
    pytest.mark.skipif(
        importlib.util.find_spec("playwright") is None, reason="playwright is not installed: pip install playwright"
    ),
    pytest.mark.skipif(
        CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium, or set CHROMIUM to its path"
    ),
]
COUNT = 28  # steps of SURVEY: 7 rows in values, two forward passes and one reverse pass

# What a reader sees: rows and boxes by their numbers, in the order of the page.
STATE = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const seen = (element) => element.checkVisibility({visibilityProperty: true});
  const text = (element) => element ? element.textContent : null;
  const rows = (selector) => all(selector).map((element) => Number(element.dataset.row));
  return {
    row: rows("tbody tr.now"), marked: rows("tbody tr[aria-current=step]"), box: rows(".box.now"),
    done: rows(".box.done"),
    cells: all("tbody tr").map((row) => [...row.querySelectorAll("[data-pass]")].map((c) => seen(c) ? text(c) : "")),
    cell: all("td.now").map((cell) => [Number(cell.closest("tr").dataset.row), Number(cell.dataset.pass)]),
    values: all(".box .value").map((value) => seen(value) ? text(value) : ""),
    moving: all(".box .moving").map((line) => seen(line) ? text(line) : ""),
    edges: all(".edge.now").map((edge) => [Number(edge.dataset.from), Number(edge.dataset.to)]),
    reverse: document.querySelector(".dd-graph").classList.contains("reverse"),
    rules: all(".steps li").filter(seen).map((item) => text(item.querySelector(".rule"))),
    origins: all(".steps li").filter(seen).map((item) => text(item.querySelector(".from"))),
    heading: all(".steps h3").filter(seen).map(text),
    bar: Object.fromEntries(["sweep", "pass", "step", "operations", "totals"].map((id) =>
      [id, text(document.getElementById(id))])),
    disabled: all(".buttons button").filter((button) => button.disabled).map((button) => button.id),
    said: text(document.getElementById("said")), slider: Number(document.getElementById("slider").value),
    address: location.hash, focus: document.activeElement.id,
  };
}"""


def until(page, expression):
    """Wait until an expression holds in the page; its policy lets nothing wait there that is given as text."""
    for _ in range(200):
        if page.evaluate(expression):
            return
        time.sleep(0.05)
    message = f"{expression} has not come true in 10 s"
    raise AssertionError(message)


@pytest.fixture(scope="module")
def browser():
    """A browser for all tests here."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Return a function that opens the page of a trace; at the end nothing went wrong, and nothing was fetched."""
    contexts, faults = [], []

    def opening(told=SURVEY, address="", media=None, **settings):
        path = tmp_path / f"{len(contexts)}.html"
        path.write_text(to_html(told), encoding="utf-8")
        usual = {"viewport": {"width": 1200, "height": 860}, "reduced_motion": "reduce"}  # states, not ways between
        contexts.append(browser.new_context(offline=True, **usual | settings))
        page = contexts[-1].new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: faults.append(request.url) if request.url[:8] != "file:///" else None)
        page.on("request", lambda request: faults.append(request.url) if path.name not in request.url else None)
        if media:
            page.emulate_media(media=media)
        page.goto(path.as_uri() + address)
        return page

    yield opening
    for context in contexts:
        context.close()
    assert [] == faults


def state(page):
    """Return what a reader of the page sees."""
    return page.evaluate(STATE)


def sweep_of(told, step):
    """Return the pass and the row of a step, both from 0, as the data have them."""
    rows = len(told["rows"])
    turn, row = divmod(step - 1, rows)
    return turn, rows - 1 - row if turn == len(told["directions"]) + 1 else row


def assert_state(found, step, told=SURVEY):
    """Everything on the page is as it must be at a step."""
    rows, last = told["rows"], len(told["directions"]) + 1
    count = len(rows) * (last + 1)
    reached = [sweep_of(told, earlier) for earlier in range(1, step + 1)]
    turn, row = reached[-1]
    columns = [[four_digits(x) for x in (each["value"], *each["tangents"], each["adjoint"])] for each in rows]
    names = {each["name"]: i for i, each in enumerate(rows)}
    done = sorted(i for t, i in reached if t == turn)
    own = unicode_text if turn == 0 else barred if turn == last else dotted
    links = [(names[partial["operand"]], i) for i, each in enumerate(rows) for partial in each["partials"]]

    # The table: one current row and cell, and of the numbers exactly those that were worked out.
    assert [row] == found["row"] == found["marked"]
    assert [[row, turn]] == found["cell"]
    expected = [[text if (t, i) in reached else "" for t, text in enumerate(line)] for i, line in enumerate(columns)]
    assert expected == found["cells"]

    # The graph: the same row, with the arrows that this step used, pointing the way that this sweep goes.
    assert [row] == found["box"]
    assert done == found["done"]
    assert [columns[i][0] if turn or i in done else "" for i in range(len(rows))] == found["values"]
    moving = [f"{own(each['name'])} = {columns[i][turn]}" for i, each in enumerate(rows)]
    assert [text if turn and i in done else "" for i, text in enumerate(moving)] == found["moving"]
    used = [[source, target] for source, target in links if row == (source if turn == last else target)]
    assert used == found["edges"]
    assert found["reverse"] is (turn == last)

    # The rule, and what is heard.
    (rule,), (origin,), (heading,) = found["rules"], found["origins"], found["heading"]
    assert rule.startswith(f"{own(rows[row]['name'])} = ")
    assert rule.endswith(f" = {columns[row][turn]}")
    assert rows[row]["source"] in origin
    assert found["said"].startswith(f"Step {step} of {count}. {heading}. ")
    assert re.search(rf" is {columns[row][turn].replace('−', 'minus ')}\. ", found["said"])
    assert found["said"].endswith(
        "An input." if rows[row]["role"] == "input" else f"Source {rows[row]['source']}, line 2."
    )

    # The bar.
    ends = {1: ["first", "previous"], count: ["next", "last"]}
    assert ends.get(step, []) == found["disabled"]
    sweeps = ["values", *(["forward"] * (last - 1)), "reverse"]
    passes = [f"{t} of {last - 1}" for t in range(1, last)]
    assert [sweeps[turn], ["1 of 1", *passes, "1 of 1"][turn], f"{step} of {count}"] == [
        found["bar"][key] for key in ("sweep", "pass", "step")
    ]
    assert [f"#{step}", step] == [found["address"], found["slider"]]
    ahead = [len(rows[i]["partials"]) for t, i in reached if 0 < t < last]
    back = [sum(source == i for source, _ in links) for t, i in reached if t == last]
    spent = back if turn == last else ahead
    operations = f"× {sum(spent)}, + {sum(k - 1 for k in spent if k)}"
    counts = told["counts"].get(sweeps[turn])
    totals = f"of × {counts['multiplications']}, + {counts['additions']}" if counts else ""
    assert [operations if turn else "none yet", totals] == [found["bar"]["operations"], found["bar"]["totals"]]
