"""The table in a terminal and in Markdown: it fits, what it shows is what the dict says, and what is left out when."""

import copy
import functools
import math
import re
import unicodedata

import pytest
from hypothesis import given, settings, strategies as st
from told_by_hand import CASES, NUMBERS, columns, loop, survey, table_lines, told

from dualdiff.lecture.drawn.text import to_markdown, to_text

EXAMPLES = settings(max_examples=200, deadline=None, derandomize=True)
WIDTHS = range(40, 201)
BACK = str.maketrans("₀₁₂₃₄₅₆₇₈₉−·", "0123456789-*")


@functools.cache
def shown(case, width, ascii_=False):
    """Return the text of a case, made once."""
    return to_text(CASES[case](), width, ascii=ascii_)


def close(expected, text):
    """Tell whether a number is shown to four digits."""
    shown = float(text.translate(BACK))
    digit = 10.0 ** (math.floor(math.log10(abs(expected))) - 3) if expected else 1e-300
    return abs(expected - shown) <= 0.5001 * digit


@pytest.mark.parametrize("ascii_", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_every_width_holds(case, ascii_):
    """No line is wider than the terminal, whatever its width; in ASCII there is nothing else."""
    for width in WIDTHS:
        text = shown(case, width, ascii_)
        assert width >= max(map(columns, text.splitlines()))
        assert all(line == line.rstrip() for line in text.splitlines())
        assert text.isascii() or not ascii_
        assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("case", NUMBERS)
def test_numbers_are_those_of_the_dict(case):
    """At any width each number shown is the dict's, to four digits, and every row is there in every pass."""
    trace = CASES[case]()
    rows = [row for row in trace["rows"] if row["role"] != "cut"]
    count = len(trace["directions"])
    for width in WIDTHS[::8]:
        seen = 0
        for at, (title, heads, cells) in enumerate(table_lines(shown(case, width))):
            row = rows[at % len(rows)]
            wanted = {3: row["value"]}
            if len(heads) == 4 + count + 1:
                wanted |= dict(enumerate([*row["tangents"], row["adjoint"]], 4))
            elif len(heads) == 5:
                turn = re.match(r"forward pass (\d+)", title)
                wanted[4] = row["tangents"][int(turn[1]) - 1] if turn else row["adjoint"]
            assert set(wanted) | {0, 1, 2} == set(range(len(heads)))
            for i, number in wanted.items():
                assert close(number, cells[i].rpartition(" = ")[2]), (width, title, cells)
            seen += 1
        assert seen % len(rows) == 0
        assert seen // len(rows) in {1, count + 1, count + 2}


@pytest.mark.parametrize("case", ["survey", "korean", "many", "loop"])
def test_rules_in_numbers_add_up(case):
    """The sum of products of a rule is the number behind it, as far as four digits tell."""
    checked = 0
    for _, _, cells in table_lines(shown(case, 115 if case == "many" else 200)):
        for cell in cells[4:]:
            *_, sum_, result = ["", "", *cell.split(" = ")]
            if re.fullmatch(r"[-+*()\d.e ]+", sum_.translate(BACK)):
                parts = [eval(part) for part in sum_.translate(BACK).split(" + ")]  # noqa: S307 - digits and signs
                assert math.isclose(
                    sum(parts), float(result.translate(BACK)), abs_tol=1e-3 * sum(map(abs, parts)) + 1e-12
                )
                checked += 1
    assert checked > 5


def test_survey_at_full_width():
    """The example of Baydin et al. has all three parts of every rule where there is room."""
    lines = to_text(survey(), 200).splitlines()

    assert [
        "",
        "step",
        "source",
        "primal value",
        "tangent, seed ẋ₁=1",
        "tangent, seed ẋ₂=1",
        "adjoint, seed v̄₅=1",
    ] == [cell.strip() for cell in lines[0].split("│")]
    assert [
        "▶",
        "x₁",
        "(input)",
        "2",
        "ẋ₁ = 1",
        "ẋ₁ = 0",
        "x̄₁ = v̄₂·x₂ + v̄₁·(1/x₁) = 1·5 + 1·0.5 = 5.5",
    ] == [cell.strip() for cell in lines[2].split("│")]
    assert [
        "",
        "v₂",
        "x1*x2",
        "x₁·x₂ = 10",
        "v̇₂ = x₂·ẋ₁ + x₁·ẋ₂ = 5·1 + 2·0 = 5",
        "v̇₂ = x₂·ẋ₁ + x₁·ẋ₂ = 5·0 + 2·1 = 2",
        "v̄₂ = v̄₃ = 1·1 = 1",
    ] == [cell.strip() for cell in lines[5].split("│")]
    assert [
        "✓",
        "v₅",
        "np.log(x1) + x1*x2 - np.sin(x2)",
        "v₃ − v₄ = 11.65",
        "v̇₅ = v̇₃ − v̇₄ = 1·5.5 + (−1)·0 = 5.5",
        "v̇₅ = v̇₃ − v̇₄ = 1·2 + (−1)·0.2837 = 1.716",
        "v̄₅ = 1",
    ] == [cell.strip() for cell in lines[8].split("│")]
    assert (
        "passes: forward 2 (one per input, read ↓), reverse 1 (one per output, read ↑)      "
        "× / + for derivatives: forward 16 / 6, reverse 8 / 2   (×1 counted)"
    ) == lines[-1]
    assert 11 == len(lines)


def test_survey_in_ascii():
    """Without signs of mathematics a tangent is dx1, an adjoint bar_x1."""
    text = to_text(survey(), 240, ascii=True)

    assert "bar_x1 = bar_v2*x2 + bar_v1*(1/x1) = 1*5 + 1*0.5 = 5.5" in text
    assert "dv5 = dv3 - dv4 = 1*2 + (-1)*0.2837 = 1.716" in text
    assert ["> ", "= "] == [text.splitlines()[i][:2] for i in (2, 8)]
    assert "* / + for derivatives: forward 16 / 6, reverse 8 / 2   (*1 counted)" in text


def test_one_table_for_each_pass():
    """At 80 columns each pass has its own table, with the rules in full, and the formulas have a table before."""
    text = to_text(survey(), 80)
    titles = [line for line in text.splitlines() if line.endswith(("↓", "↑"))]

    assert [
        "primal values, read ↓",
        "forward pass 1 of 2, seed ẋ₁ = 1, read ↓",
        "forward pass 2 of 2, seed ẋ₂ = 1, read ↓",
        "reverse pass, seed v̄₅ = 1, read ↑",
    ] == titles
    assert "v̇₂ = x₂·ẋ₁ + x₁·ẋ₂ = 5·0 + 2·1 = 2" in text
    assert "np.log(x1) + x1…" in text
    assert 1 == text.count("log(x₁) = 0.6931")


def test_symbols():
    """In the letters of the inputs a cell is its formula and its number, and so it is in a table for each pass."""
    trace = survey() | {"symbols": True}
    for row in trace["rows"]:
        row |= {"tangent_formulas": ["1/x1 + x2", "0"], "adjoint_formula": "x1 − cos(x2)"}
    cells = next(cells for *_, cells in table_lines(to_text(trace, 200)) if cells[1] == "v₄")

    assert ["sin(x₂) = −0.9589", "1/x₁ + x₂ = 0", "0 = 0.2837", "x₁ − cos(x₂) = −1"] == cells[3:]
    assert "│ x₁ − cos(x₂) = 1.716" in to_text(CASES["symbols"](), 130)


def test_arrays():
    """An array has its shape and its ends; its rules have no numbers; what NumPy repeated is summed up."""
    text = to_text(CASES["arrays"](), 400)

    assert "(3,) [1 2 3]" in text
    assert "(2, 2) [[1 −2] [0.5 inf]]" in text
    assert "(1000,) [−1.5e−07 2 3 … 998 999 nan]" in text
    assert "(40,) [0 1 2 … 37 38 39]" in text
    assert "v̇₁ = (∂v₁/∂x₁)·ẋ₁ = (1000,) [" in text
    assert "2 steps of f left out: no result depends on them" in text
    assert "1 001 more forward passes not shown" in text
    few = {"operand": "x1", "kind": "elementwise", "formula": "x2", "value": [1.0, 2.0]}
    trace = told({"x1": 2.0}, [("v1", "x1*3", "x1·3", {"x1": "3"})])
    trace["rows"][1] |= {"shape": [2], "value": [2.0, 4.0], "adjoint": [1.0, 1.0], "partials": [few]}
    assert "x̄₁ = sum(v̄₁·x₂) = 3" in to_text(trace, 120)


def test_rows_that_are_cut_out():
    """A line says how many rows are missing, and a sum that needs them is open."""
    text = to_text(loop(), 190)
    lines = text.splitlines()

    (cut,) = [i for i, line in enumerate(lines) if "… 241 more rows …" in line]
    assert lines[cut - 1].split("│")[1].strip() == "v₃₉"
    assert lines[cut + 1].split("│")[1].strip() == "v₂₈₁"
    assert 1 == text.count("more rows")
    assert "· 241" not in text
    adjoint = next(cells[-1] for *_, cells in table_lines(to_text(loop(), 200)) if cells[1] == "v₃₉")
    assert adjoint.startswith("v̄₃₉ = … ") or adjoint == "v̄₃₉ = 0"
    assert "... 241 more rows ..." in to_text(loop(), 40, ascii=True)


def test_a_number_used_in_missing_rows_says_so():
    """An adjoint is not claimed to be a sum that it is not."""
    trace = survey()
    trace["rows"][4] = {"role": "cut", "rows": 1}

    text = to_text(trace, 200)
    assert "v̄₁ = … = 1" in text
    assert "x̄₁ = v̄₂·x₂ + v̄₁·(1/x₁) = 1·5 + 1·0.5 = 5.5" in text
    trace = survey()
    trace["rows"][3] = {"role": "cut", "rows": 1}
    text = to_text(trace, 200)
    assert "x̄₁ = v̄₁·(1/x₁) + … = 1·0.5 + … = 5.5" in text
    assert "v̇₃ = v̇₁ + v̇₂ = 5.5" in text  # the tangent of v₂ is not known here


def test_sums_of_many_terms():
    """Of a sum with more than eight terms the first and the last are shown."""
    steps = [(f"v{i}", f"{i}*x", f"{i}·x", {"x": str(i)}) for i in range(2, 12)]
    steps.append(("v12", "sum", " + ".join(f"v{i}" for i in range(2, 12)), {f"v{i}": "1" for i in range(2, 12)}))
    text = to_text(told({"x": 1.0}, steps), 200)

    assert "x̄ = v̄₁₁·11 + v̄₁₀·10 + v̄₉·9 + v̄₈·8 + … + v̄₃·3 + v̄₂·2 = 1·11 + 1·10 + 1·9 + 1·8 + … + 1·3 + 1·2 = 65" in text


def test_notes_stand_below_their_row():
    """Which branch was taken is said below the row, once, and cut where it is too long."""
    for width in (60, 150):
        lines = to_text(CASES["korean"](), width).splitlines()
        (note,) = [i for i, line in enumerate(lines) if "↳ if 값 > 1: taken" in line]
        assert "값*속도" in lines[note - 1]
    assert not lines[note].endswith("…")


def test_results():
    """Every result is marked, an input that is one too; the seed is counted in the sum."""
    steps = [("v1", "2*x", "2·x", {"x": "2"}), ("v2", "v1**2", "v1²", {"v1": "2·v1"})]
    trace = told({"x": 3.0}, steps, outputs=["v1", "v2", "x"])
    marks = [line[:2] for line in to_text(trace, 120).splitlines()[2:5]]

    assert ["▶✓", "✓ ", "✓ "] == marks
    assert "v̄₁ = 1 + v̄₂·2·v₁ = 1 + 0·12 = 1" in to_text(trace, 120)


def test_seed_in_an_array():
    """Where one number of an array is seeded, the heading names it."""
    trace = told(
        {"x": 3.0}, [("v1", "np.array([x, x])", "array([x, x])", {})] if False else [("v1", "x", "x", {"x": "1"})]
    )
    trace["rows"][1] |= {"shape": [2], "value": [3.0, 3.0], "adjoint": [1.0, 0.0], "tangents": [[1.0, 1.0]]}
    trace["seed"] = "v1[0]"

    text = to_text(trace, 120)
    assert "adjoint, seed v̄₁[0]=1" in text
    assert "v̄₁ = (2,) [1 0]" in text


def test_unknown_numbers():
    """What the dict does not know is not made up."""
    trace = survey()
    trace["rows"][3] |= {"adjoint": None, "value": "nan", "formula": None}
    trace["rows"][4]["partials"][0]["formula"] = "sinc'(v1)"
    text = to_text(trace, 200)

    assert "│ nan " in text
    assert "│ v̄₂ = v̄₃ = 1·1 = …" in text
    assert "v̇₃ = sinc'(v₁)·v̇₁ + v̇₂" in text


@EXAMPLES
@given(st.text(), st.text(min_size=1), st.integers(40, 120))
def test_any_text_fits(source, name, width):
    """Whatever stands in source, note and name, lines fit, and ASCII is ASCII."""
    trace = survey()
    trace["rows"][3] |= {"source": source, "note": source}
    trace = _renamed(trace, "x1", name)

    for ascii_ in (False, True):
        text = to_text(trace, width, ascii=ascii_)
        assert width >= max(columns(line) for line in text.split("\n") if not _odd(line))
        assert text.replace("\n", "").isprintable()
        assert text.isascii() or not ascii_


def _odd(line):
    """Tell whether a line has a mark that combines, though the tables give it no class: terminals differ on these."""
    return any(unicodedata.category(c) in {"Mn", "Me", "Cf"} or "\u1160" <= c <= "\u11ff" for c in line)


def _renamed(trace, old, new):
    trace = copy.deepcopy(trace)
    for row in trace["rows"]:
        row["name"] = new if row["name"] == old else row["name"]
        for partial in row["partials"]:
            partial["operand"] = new if partial["operand"] == old else partial["operand"]
    trace["inputs"] = trace["directions"] = [new if name == old else name for name in trace["inputs"]]
    return trace


def cells_of(line):
    """Split a line of a Markdown table as GitHub does: at bars that no backslash escapes."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_markdown():
    """The table of Markdown has all details, a line for each row, and the counts below."""
    table, *below = to_markdown(survey()).strip().split("\n\n")
    lines = [cells_of(line) for line in table.splitlines()]

    assert {7} == set(map(len, lines))
    assert [
        "",
        "step",
        "source",
        "primal value",
        "tangent, seed ẋ₁ = 1",
        "tangent, seed ẋ₂ = 1",
        "adjoint, seed v̄₅ = 1",
    ] == lines[0]
    assert ["---"] * 7 == lines[1]
    assert "x̄₁ = v̄₂·x₂ + v̄₁·(1/x₁) = 1·5 + 1·0.5 = 5.5" == lines[2][6]
    assert ["✓", "v₅", "`np.log(x1) + x1*x2 - np.sin(x2)`", "v₃ − v₄ = 11.65"] == lines[8][:4]
    assert [
        "passes: forward 2 (one per input, read ↓), reverse 1 (one per output, read ↑)",
        "× / + for derivatives: forward 16 / 6, reverse 8 / 2   (×1 counted)",
    ] == below


@pytest.mark.parametrize("case", CASES)
def test_markdown_is_a_table(case):
    """Every line has as many cells as the heading, and a row that stands for others has them too."""
    trace = CASES[case]()
    table = to_markdown(trace).split("\n\n")[0].splitlines()

    assert {len(trace["directions"]) + 5} == {len(cells_of(line)) for line in table}
    assert len(trace["rows"]) + 2 == len(table)
    assert ("… 241 more rows …" in "".join(table)) == (case == "loop")


@EXAMPLES
@given(st.text(st.sampled_from("a`|\\ \n*_<>[]$~") | st.characters()))
def test_source_survives_markdown(source):
    """A source comes back from its code span, with its backticks and bars; signs elsewhere mean nothing."""
    trace = survey()
    trace["rows"][3] |= {"source": source, "note": source}
    line = to_markdown(trace).splitlines()[5]
    cell = cells_of(line)[2] if source.strip() else ""
    code, _, note = cell.rpartition("<br>↳ ")
    fence = re.match("`*", code)[0] if code else ""
    inside = code[len(fence) : len(code) - len(fence)]
    if inside.startswith(" `") or inside.endswith("` "):
        inside = inside[1:-1]

    assert 7 == len(cells_of(line))
    if source.isprintable() and source.split() and "\\|" not in source and not source.strip().endswith("\\"):
        assert " ".join(source.split()) == inside.replace("\\|", "|")
        assert fence not in re.findall("`+", inside)
        assert not set("`*_<>[]$~|") & set(re.sub(r"\\.", "", note))
