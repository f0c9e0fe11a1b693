"""What the table in a terminal leaves out as the room shrinks: the rules in numbers are the last to go."""

import pytest
from told_by_hand import columns, in_letters, seed, survey, table_lines, told

from dualdiff.lecture.drawn.text import to_text


def three():
    """Return a trace with three directions, too many for a table each."""
    steps = [
        ("v1", "x*y*one_more_factor", "x·y", {"x": "y", "y": "x"}),
        ("v2", "x*y*one_more_factor + z", "v1 + z", {"v1": "1", "z": "1"}),
    ]
    return told({"x": 2.5, "y": 5.25, "z": 3.75}, steps)


def stages(trace, signs):
    """Return which signs are there as the room shrinks, until each pass has a table of its own."""
    found = []
    for width in range(200, 39, -1):
        text = to_text(trace, width)
        if "forward pass 1 of" in text:
            assert "reverse pass, seed" in text
            break
        found.append(tuple(sign in text for sign in signs))
    return list(dict.fromkeys(found))


def test_detail_goes_in_order():
    """With less room the letters of the rules go, then the source, and then one table is many."""
    signs = ["v̇₂ = x₂·ẋ₁", "1·5.5 + (−1)·0", "x₁·x₂ = 10", "np.log(x1)", "│ source"]
    assert [
        (True, True, True, True, True),
        (False, True, True, True, True),
        (False, True, True, False, True),
        (False, True, True, False, False),
    ] == stages(survey(), signs)


def test_detail_of_many_directions_goes_in_order():
    """With three directions or more one table is kept: the numbers of the rules go, then the formulas."""
    signs = ["v̇₁ = y·ẋ + x·ẏ", "5.25·1 + 2.5·0", "x·y = 13.12", "x*y*one_more"]
    assert [
        (True, True, True, True),
        (False, True, True, True),
        (False, True, True, False),
        (False, False, True, True),
        (False, False, False, True),
    ] == stages(three(), signs)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 140, 160, 200])
def test_sums_keep_their_numbers(width):
    """Where two paths meet the numbers stand, whatever the width, as they do in every rule of the tangents."""
    text = to_text(seed(), width)

    assert "2·(−0.932) + 1.864·0.3624 = −1.189" in text
    assert "1·0.6755 + 1·(−1.864) = −1.189" in text
    assert "1.864·0.3624 = 0.6755" in text


def test_bare_values_are_not_preferred_to_rules():
    """With one or two directions there is no table of bare values where a table for each pass has the rules."""
    for width in range(60, 201):
        for trace in (seed(), survey()):
            rows = [cells[-1] for *_, cells in table_lines(to_text(trace, width)) if cells[1] in {"v₅", "t", "x₂"}]
            assert any("·" in cell for cell in rows)


def test_formulas_in_letters_are_not_cut():
    """From 60 columns on both derivatives stand in full; the source is cut, then the value, then the one table."""
    signs = ["np.sin(t)**2 + 2*np.cos(t)", "sin(t)² = 0.8687", "tangent, seed ṫ=1", "│ source"]
    stages = []
    for width in range(200, 57, -1):
        text = to_text(in_letters(), width)
        assert 2 == text.count("2·sin(t)·cos(t) − 2·sin(t) = −1.189"), width
        below = text[text.rindex("pass, seed") if "pass, seed" in text else 0 :]
        stages.append(tuple(sign in below for sign in signs))

    assert [
        (True, True, True, True),
        (False, True, True, True),
        (False, False, True, True),
    ] == [stage for stage in dict.fromkeys(stages) if stage[2]]
    assert (False, False, False, False) == stages[-1]


def test_a_formula_too_long_for_any_table_is_cut_there():
    """It is cut to the width that it has by itself, beside its name and its value, without the source."""
    trace = in_letters()
    trace["rows"][0]["adjoint_formula"] = " + ".join(f"sin({k}·t)" for k in range(2, 40))
    lines = to_text(trace, 80).splitlines()
    (line,) = [line for line in lines if "… = −1.189" in line]

    assert 80 >= columns(line) > 72
    assert ["▶", "t", "1.2"] == [cell.strip() for cell in line.split("│")][:3]


def test_a_sum_too_long_for_any_table_shows_its_ends():
    """Of a sum that no table has room for, some terms stand: the first ones and the last."""
    steps = [(f"v{i}", f"{i}*x", f"{i}.125·x", {"x": f"{i}.125"}) for i in range(2, 8)]
    steps.append(("v8", "sum", " + ".join(f"v{i}" for i in range(2, 8)), {f"v{i}": "1" for i in range(2, 8)}))
    trace = told({"x": 1.0}, steps)

    assert "v̇₈ = 1·2.125 + … + 1·7.125 = 27.75" in to_text(trace, 60)
    assert "x̄ = 1·7.125 + 1·6.125 + … + 1·2.125 = 27.75" in to_text(trace, 60)
    assert "x̄ = 1·7.125 + 1·6.125 + 1·5.125 + 1·4.125 + … + 1·2.125 = 27.75" in to_text(trace, 80)
    assert "x̄ = 1·7.125 + 1·6.125 + 1·5.125 + 1·4.125 + 1·3.125 + 1·2.125 = 27.75" in to_text(trace, 100)


@pytest.mark.parametrize("width", [50, 60, 80, 100, 140])
def test_a_wide_matrix_keeps_its_ends(width):
    """A matrix for which there is no room has its first and its last number, not its shape alone."""
    matrix = {"operand": "x", "kind": "jacobian", "formula": None, "value": None}
    trace = told({"x": 2.0}, [("v1", "np.tanh(x)", "x", {"x": "1"})])
    for row in trace["rows"]:
        numbers = [[0.9612, 1.922], [0.8556, 1.711]]
        row |= {"shape": [2, 2], "value": numbers, "adjoint": numbers, "tangents": [numbers]}
    trace["rows"][1]["partials"] = [matrix]
    text = to_text(trace, width)

    assert 6 <= text.count("0.9612") == text.count("1.711")
