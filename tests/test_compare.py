"""compare: passes and operations by hand, crossings of made-up curves, and what is printed; never how long it took."""

import json
import re
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dualdiff.lecture.compared import comparing, crossing as crossings, measuring
from dualdiff.lecture.compared.comparing import compare

QUICK = {"seconds": 0.01, "repeat": 1, "sizes": (1, 2, 4)}
A = np.arange(12.0).reshape(3, 4)


def linear(x):
    """Return three sums of four products."""
    return A @ x


def polar(r, t):
    """Return a function of two numbers, neither of which can become an array of another length."""
    return r * np.cos(t), r * np.sin(t)


def test_passes_are_inputs_and_outputs():
    """Forward takes a pass for each input, reverse one for each output."""
    shown = compare(linear, **QUICK)(np.ones(4))

    assert (4, 3) == (shown.inputs, shown.outputs)
    assert (4, 3) == (shown.forward.passes, shown.reverse.passes)


@pytest.mark.parametrize(
    ("function", "point", "forward", "reverse"),
    [
        # a 3×4 matrix by a vector: 12 products in each of 4 passes and 9 sums; back, 12 in each of 3 and 8 sums
        (linear, (np.ones(4),), (48, 36), (36, 24)),
        # the lecture's example: 8 multiplications and 3 additions forward, twice; 8 and 2 back, once
        (lambda x1, x2: np.log(x1) + x1 * x2 - np.sin(x2), (2.0, 5.0), (16, 6), (8, 2)),
        # n squares and n - 1 sums for each of n inputs; back, the n slopes
        (lambda x: np.sum(x**2), (np.ones(5),), (25, 20), (5, 0)),
    ],
    ids=["matrix", "lecture", "squares"],
)
def test_operations_are_counted(function, point, forward, reverse):
    """Multiplications and additions of all passes, counted by hand."""
    shown = compare(function, **QUICK)(*point)

    assert forward == shown.forward.counts
    assert reverse == shown.reverse.counts
    assert shown.cheaper_by_counts == "reverse"


@pytest.mark.parametrize(
    ("function", "point", "expected"),
    [
        (lambda t: np.stack([np.sin(t), np.cos(t), t * t]), (1.0,), "forward"),
        (lambda x: np.sum(np.sin(x)), (np.ones(9),), "reverse"),
        (np.sin, (1.0,), "equal"),
    ],
)
def test_cheaper_by_counts(function, point, expected):
    """Few inputs and many outputs are forward's, many inputs and few outputs are reverse's."""
    assert expected == compare(function, **QUICK)(*point).cheaper_by_counts


def test_cheaper_is_read_off_the_times():
    """By time one is cheaper if it is 15 % quicker."""
    shown = compare(linear, **QUICK)(np.ones(4))
    quick, slow = sorted([shown.forward.seconds, shown.reverse.seconds])
    ahead = "forward" if shown.forward.seconds == quick else "reverse"

    assert (ahead if slow > 1.15 * quick else "about equal") == shown.cheaper


def test_memory_is_what_numpy_reports():
    """The peak of a function that holds 8 MB for a moment is 8 MB, whether or not Python was being watched."""
    hold = lambda: np.zeros(1_000_000).sum()

    assert 8_000_000 == pytest.approx(measuring.peak_of(hold), rel=0.01)
    assert not tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        assert 8_000_000 == pytest.approx(measuring.peak_of(hold), rel=0.01)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_reverse_remembers_what_forward_forgets():
    """Fifty steps on 1000 numbers are fifty arrays in the record, of which forward mode holds few at a time."""

    def long(x):
        for _ in range(50):
            x = np.sin(x)
        return np.sum(x)

    shown = compare(lambda t: long(t * np.ones(1000)), **QUICK)(1.0)

    assert shown.reverse.peak_bytes > 50 * 1000 * 8
    assert shown.forward.peak_bytes < shown.reverse.peak_bytes / 2


def test_readings_are_medians():
    """As many readings as asked for where there is time, and one where a single run takes all of it."""
    ran = []
    _, readings = measuring.times_of([lambda: ran.append(0)], 5, 10.0)

    assert 5 == readings
    assert len(ran) >= 5
    assert 1 == measuring.times_of([lambda: None], 5, 0.0)[1]


# --- crossings ---------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.floats(1.5, 500.0), st.floats(0.001, 1000.0))
def test_lines_cross_where_they_do(at, unit):
    """c·n meets c·at at n = at, whatever the unit of time."""
    sizes = [2**k for k in range(11)]
    forward, reverse = [unit * n for n in sizes], [unit * at for _ in sizes]
    found, before, after = crossings.crossing(sizes, forward, reverse)

    assert at == pytest.approx(found)
    assert ("forward", "reverse") == (before, after)
    assert (pytest.approx(found), "reverse", "forward") == crossings.crossing(sizes, reverse, forward)


def test_curves_that_do_not_cross():
    """Where one is quicker at all sizes there is no crossing."""
    assert (None, "forward", "forward") == crossings.crossing([1, 2, 4], [1, 1, 1], [2, 3, 4])
    assert (None, "reverse", "reverse") == crossings.crossing([1, 2, 4], [5, 5, 5], [2, 3, 4])


def test_one_bad_reading_makes_no_crossing():
    """A single reading on the wrong side is outvoted by its neighbours."""
    sizes = [1, 2, 4, 8, 16, 32]
    found, before, after = crossings.crossing(sizes, [1, 2, 4.1, 8, 16, 32], [8, 8, 8, 3, 8, 8])

    assert ("forward", "reverse") == (before, after)
    assert 4 < found < 8
    assert (None, "forward", "forward") == crossings.crossing(sizes, [1, 2, 1.1, 2, 2, 2], [8, 8, 1, 8, 8, 8])


def test_f_itself_grows_where_it_can():
    """A function of any number of inputs is run at each size, and its outputs are counted there."""
    cross = compare(lambda x: np.sin(x) * x, **QUICK)(np.ones(3)).crossover

    assert cross.grows
    assert (1, 2, 4) == cross.sizes == cross.outputs
    assert 3 == len(cross.forward) == len(cross.reverse)
    assert all(t > 0 for t in (*cross.forward, *cross.reverse))


def test_passes_are_measured_where_f_cannot_grow():
    """A function of fixed size goes through n passes instead, beside one for each of its own outputs."""
    for function, point, outputs in ((polar, (2.0, 0.5), 2), (linear, (np.ones(4),), 3)):
        cross = compare(function, **QUICK)(*point).crossover

        assert not cross.grows
        assert (1, 2, 4) == cross.sizes
        assert (outputs,) * 3 == cross.outputs


def test_f_grows_as_it_is_told_to():
    """With grow, several arguments of several shapes make n inputs; a size that f does not take is left out."""

    def product(B, x):
        if len(x) == 2:
            message = "two is refused"
            raise ValueError(message)
        return B @ x

    grow = lambda n: (np.ones((2, n)), np.ones(n))
    cross = compare(product, seconds=0.01, repeat=1, sizes=(1, 2, 3, 4), grow=grow)(*grow(3)).crossover

    assert cross.grows
    assert (3, 9, 12) == cross.sizes  # 2·n + n inputs at n = 1, 3, 4
    assert (2, 2, 2) == cross.outputs


def test_arguments_that_stay_stay():
    """What argnums leaves out neither moves nor grows."""
    shown = compare(lambda k, x: np.sum(x) ** k, argnums=1, **QUICK)(2, np.ones(5))

    assert (5, 1) == (shown.forward.passes, shown.reverse.passes)
    assert (1, 2, 4) == shown.crossover.sizes
    assert shown.crossover.grows


def test_the_limit_is_a_line_in_the_outputs():
    """N passes forward take as long as the recording and m passes back at n = (recording + per_output·m)/per_input."""
    cross = crossings.Crossover(False, (1,), (1,), (1.0,), (1.0,), None, "forward", "forward", 2.0, 3.0, 4.0)

    assert [1.5, 3.5, 21.5] == [cross.limit(m) for m in (0, 1, 10)]


# --- what is shown -----------------------------------------------------------------------------------------------


def test_text_says_what_was_measured():
    """Passes, operations, times, memory and the crossover, at any width, and in ASCII."""
    shown = compare(linear, **QUICK)(np.ones(4))
    text = shown.to_text(80)

    assert text.startswith("linear: ℝ⁴ → ℝ³, 1 step; times are medians of 1\n")
    for row in (r"passes +4 +3", r"multiplications +48 +36", r"additions +36 +24", r"time +\S+ [nµm]?s +\S+ [nµm]?s"):
        assert 1 == len(re.findall(row, text))
    assert "crossover: passes of linear, n forward or m back, measured:" in text
    assert "(here m = 3: n < " in text
    for width in (40, 60, 120):
        assert max(map(len, shown.to_text(width).splitlines())) <= width
    assert shown.to_text(80, ascii=True).isascii()
    assert str(shown) == repr(shown)


def test_text_says_where_f_itself_crosses():
    """A function that grows has its sizes named, and the crossing or the winner."""
    text = compare(lambda x: np.sum(x * x), **QUICK)(np.ones(4)).to_text(120)

    assert "crossover: f at n = 1, 2, 4 inputs, measured:" in text
    assert "is faster from n ≈ " in text or "is faster at all of them" in text


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0 ns"), (1.5, "1.5 s"), (0.00123456, "1.23 ms"), (9.9996e-4, "1 ms"), (4e-6, "4 µs"), (7.77e-8, "77.7 ns")],
)
def test_durations_have_units(value, expected):
    """Three digits and the unit that suits."""
    assert expected == measuring.duration(value)


def test_dict_is_json():
    """The dict survives JSON and has the numbers of the object."""
    shown = compare(polar, **QUICK)(2.0, 0.5)
    told = shown.to_dict()

    assert told == json.loads(json.dumps(told, allow_nan=False))
    assert "dualdiff.compare/1" == told["schema"]
    assert {"multiplications": 12, "additions": 4} == told["forward"]["counts"]
    assert list(shown.crossover.forward) == told["crossover"]["forward"]
    assert shown.reverse.seconds == told["reverse"]["seconds"]


def test_a_comparison_does_not_change():
    """What was measured stays: attributes are read-only, and the crossover is measured once."""
    shown = compare(polar, **QUICK)(2.0, 0.5)

    with pytest.raises(AttributeError, match="a Comparison does not change: inputs is what was measured"):
        shown.inputs = 3
    with pytest.raises(AttributeError):
        shown.forward.passes = 3
    assert shown.crossover is shown.crossover


def test_all_at_once_only_where_it_fits(monkeypatch):
    """All directions at once are not tried where they would take gigabytes."""
    monkeypatch.setattr(comparing, "_MOST", 10 * 50)
    wide = compare(lambda x: np.sum(np.tile(x, 5)), **QUICK)(np.ones(11))  # 55 numbers in 11 directions, or in 1

    assert wide.forward.all_at_once is None
    assert wide.reverse.all_at_once > 0
    assert "  all at once " in wide.to_text(80)


# --- the plot ----------------------------------------------------------------------------------------------------


@pytest.fixture
def axes():
    """Give axes that no window shows."""
    figure = pytest.importorskip("matplotlib.figure").Figure()
    return figure.subplots()


def test_plot_shows_what_was_measured(axes):
    """The lines are the times at each size, and a line stands at the crossing."""
    shown = compare(lambda x: np.sum(x * x), **QUICK)(np.ones(4))
    cross = shown.crossover
    shown.__dict__["crossover"] = crossings.Crossover(
        True, cross.sizes, cross.outputs, (1.0, 2.0, 4.0), (3.0, 3.0, 3.0), 3.0, "forward", "reverse", 1.0, 2.0, 1.0
    )

    assert axes is shown.plot(axes)
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert [1, 2, 4] == list(lines["forward"].get_xdata())
    assert [1.0, 2.0, 4.0] == list(lines["forward"].get_ydata())
    assert [3.0, 3.0, 3.0] == list(lines["reverse"].get_ydata())
    assert [3.0, 3.0] in [list(line.get_xdata()) for line in axes.get_lines()]
    assert "n ≈ 3\nforward is faster before,\nreverse after" in [text.get_text() for text in axes.texts]
    assert "Jacobian of f with n inputs and 1 output" == axes.get_title(loc="left")
    axes.figure.canvas.draw()


def test_plot_of_passes(axes, tmp_path):
    """Where f cannot grow the axes say passes, other numbers of outputs are drawn, and the picture can be written."""
    compare(polar, **QUICK)(2.0, 0.5).plot(axes)
    axes.figure.savefig(tmp_path / "passes.png")

    assert "passes forward n" == axes.get_xlabel()
    assert {"m = 1", "m = 8", "m = 32"} <= {text.get_text() for text in axes.texts}
    assert (tmp_path / "passes.png").stat().st_size > 1000


def test_plot_makes_a_figure_of_its_own():
    """Without axes there is a new figure."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    ax = compare(polar, **QUICK)(2.0, 0.5).plot()

    assert ax.figure.number in plt.get_fignums()
    plt.close(ax.figure)


def test_plot_without_matplotlib(monkeypatch):
    """The message says how to install it, and the table needs none."""
    shown = compare(polar, **QUICK)(2.0, 0.5)
    monkeypatch.setitem(sys.modules, "matplotlib.ticker", None)

    with pytest.raises(ImportError, match=r"not installed: pip install 'dualdiff\[plot\]'\. print\(\) needs none"):
        shown.plot()
    assert "passes" in shown.to_text(80)


def test_matplotlib_comes_only_with_the_plot():
    """Comparing and printing import no matplotlib."""
    code = (
        "import sys; from dualdiff.lecture.compared.comparing import compare; import math;"
        "print(compare(lambda x: x * x, seconds=0.01)(2.0)); assert 'matplotlib' not in sys.modules"
    )

    assert 0 == subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode
