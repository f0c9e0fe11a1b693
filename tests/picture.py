"""Take the picture of the step-through page that README shows: ``python tests/picture.py [FILE]``.

It is the page itself, in the middle of the second forward pass, in light colours and at twice the usual resolution.
"""

import math
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright
from step_pages import ARGUMENTS, CHROMIUM

import dualdiff as dd

__all__ = ["main"]

PICTURE = Path(__file__).resolve().parents[1] / "examples" / "step_page.png"
WIDTH, TALL = 1040, 1400  # of the window, which then shrinks to what is in it
CONTENT = """() => document.querySelector("p.totals").getBoundingClientRect().bottom
  + document.querySelector("nav.bar").getBoundingClientRect().height"""
MARGIN = 16
COLOURS = 64  # enough for the grey edges of letters, and a third of the bytes
SWEEP, ROW = 2, 3  # after the values and the first forward pass: the product x1*x2


def f(x1, x2):
    """Return the function that the survey of Baydin et al. traces."""
    return np.log(x1) + x1 * x2 - np.sin(x2)


def main(words):
    """Write the picture to the file named in words or to its place among the examples."""
    shown = dd.trace(f)(2.0, 5.0)
    step = SWEEP * len(shown.to_dict()["rows"]) + ROW + 1
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file, raw = Path(folder) / "step.html", Path(folder) / "raw.png"
        shown.to_html(page_file)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(
            viewport={"width": WIDTH, "height": TALL},
            device_scale_factor=2,
            color_scheme="light",
            reduced_motion="reduce",
        )
        page.goto(f"{page_file.as_uri()}#{step}")
        page.set_viewport_size({"width": WIDTH, "height": math.ceil(page.evaluate(CONTENT)) + MARGIN})
        page.screenshot(path=raw)
        browser.close()
        with Image.open(raw) as image:
            few = image.convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(words[0] if words else PICTURE, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
