"""The graph of a trace: a picture whose boxes and arrows are those of the data, and text that its readers parse."""

import itertools
import random
import re
import time
import xml.etree.ElementTree as ET

import pytest
from drawn_traces import ARRAYS, CUT, HOSTILE, SURVEY, chain, four_digits, with_text

from dualdiff.lecture.drawn.graph import to_dot, to_mermaid, to_svg
from dualdiff.lecture.drawn.layout import arrange
from dualdiff.lecture.drawn.notation import unicode_text, width

TRACES = {"survey": SURVEY, "chain": chain(70), "arrays": ARRAYS, "cut": CUT}
EVERY = pytest.mark.parametrize("told", TRACES.values(), ids=TRACES)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(told):
    """Return the picture as a tree."""
    return ET.fromstring(to_svg(told))  # noqa: S314 - our own


def of_class(tree, name):
    """Return the groups of a class, in the order of the picture."""
    return [group for group in tree.iter(f"{SVG}g") if name in group.get("class").split()]


def place(box):
    """Return left, top, right and bottom of a box."""
    x, y, wide, high = (float(box.find(f"{SVG}rect").get(key)) for key in ("x", "y", "width", "height"))
    return x, y, x + wide, y + high


def texts(group):
    """Return the lines of text of a group."""
    return [text.text or "" for text in group.iter(f"{SVG}text")]


def overlap(one, other):
    """Return whether two places share some area."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def partials(told):
    """Return the rows each partial leads from and to; where the one it leads from was cut, the cut."""
    names = {row.get("name"): i for i, row in enumerate(told["rows"])}
    cut = names.get(None)
    rows = [(i, row) for i, row in enumerate(told["rows"]) if row["role"] != "cut"]
    return [(names.get(partial["operand"], cut), i, partial) for i, row in rows for partial in row["partials"]]


# --- the picture -------------------------------------------------------------------------------------------------


@EVERY
def test_every_row_is_a_box(told):
    """Each row has one box, also a cut; the boxes name their rows."""
    assert list(range(len(told["rows"]))) == [int(box.get("data-row")) for box in of_class(drawn(told), "box")]


@EVERY
def test_every_partial_is_an_arrow(told):
    """Arrows lead from operand to row, one for each partial; dotted ones lead into what was cut."""
    arrows = [arrow for arrow in of_class(drawn(told), "edge") if "unseen" not in arrow.get("class")]
    ends = [(int(arrow.get("data-from")), int(arrow.get("data-to"))) for arrow in arrows]

    assert [(source, target) for source, target, _ in partials(told)] == ends


def test_boxes_say_what_the_data_say():
    """A box has its row's name, formula and value."""
    for row, box in zip(SURVEY["rows"], of_class(drawn(SURVEY), "box"), strict=True):
        name = unicode_text(row["name"])
        label = name if row["role"] == "input" else f"{name} = {unicode_text(row['formula'])}"

        assert [label, four_digits(row["value"])] == texts(box)


def test_arrows_carry_local_partials():
    """An arrow's label is the partial in letters and in numbers, said once where both are the same."""
    found = list(itertools.chain(*map(texts, of_class(drawn(SURVEY), "edge"))))

    assert ["1/x₁ = 0.5", "x₂ = 5", "x₁ = 2", "1", "1", "cos(x₂) = 0.2837", "1", "−1"] == found


def test_inputs_are_dashed_and_results_double():
    """The border tells inputs and results from steps, so that colour need not."""
    tree = drawn(SURVEY)
    borders = {int(box.get("data-row")): len(box.findall(f"{SVG}rect")) for box in of_class(tree, "box")}
    style = tree.find(f"{SVG}style").text

    assert {i: 2 if i == 6 else 1 for i in range(7)} == borders
    assert [0, 1] == [int(box.get("data-row")) for box in of_class(tree, "input")]
    assert re.search(r"\.input rect\{stroke-dasharray:", style)


def test_a_result_that_is_an_input_is_both():
    """A function that returns its argument has one box, dashed and double."""
    told = {**SURVEY, "rows": SURVEY["rows"][:1], "outputs": ["x1"]}
    (box,) = of_class(drawn(told), "box")

    assert {"input", "output"} <= set(box.get("class").split())
    assert 2 == len(box.findall(f"{SVG}rect"))


@EVERY
def test_boxes_do_not_overlap(told):
    """No two boxes share any area, and all lie in the picture."""
    tree = drawn(told)
    places = [place(box) for box in of_class(tree, "box")]
    left, top, wide, high = map(float, tree.get("viewBox").split())

    assert not any(overlap(one, other) for one, other in itertools.combinations(places, 2))
    assert all(left < x and top < y and r < left + wide and b < top + high for x, y, r, b in places)


@EVERY
def test_arrows_run_from_border_to_border(told):
    """An arrow starts on the right border of its operand and ends on the left one of its row."""
    tree = drawn(told)
    places = [place(box) for box in of_class(tree, "box")]
    for arrow in of_class(tree, "edge"):
        numbers = [float(x) for x in re.findall(r"-?[\d.]+", arrow.find(f"{SVG}path").get("d"))]
        source, target = places[int(arrow.get("data-from"))], places[int(arrow.get("data-to"))]

        assert pytest.approx([source[2], target[0]], abs=0.11) == [numbers[0], numbers[-2]]
        assert source[1] <= numbers[1] <= source[3]
        assert target[1] <= numbers[-1] <= target[3]


def test_an_arrow_runs_around_boxes_between():
    """What skips a layer passes beside the boxes there: sampled, its path touches none of them."""
    sizes = [(80.0, 50.0)] * 5
    arrows = [(0, 1), (1, 2), (2, 3), (0, 3), (3, 4), (0, 4), (1, 4)]
    layout = arrange(sizes, arrows, [0.0] * len(arrows))
    boxes = [(x, y, x + wide, y + high) for x, y, wide, high in layout.boxes]
    for (source, target), path in zip(arrows, layout.paths, strict=True):
        others = [box for i, box in enumerate(boxes) if i not in {source, target}]
        for x, y in _points(path):
            assert not any(box[0] < x < box[2] and box[1] < y < box[3] for box in others)


def _points(path):
    """Yield points along a path of curves and lines."""
    pieces = [(kind, list(map(float, rest.split()))) for kind, rest in re.findall(r"([MCL])([^MCL]*)", path)]
    at = pieces[0][1]
    for kind, numbers in pieces[1:]:
        corners = [at, *(numbers[i : i + 2] for i in range(0, len(numbers), 2))]
        for t in (k / 20 for k in range(21)):
            points = corners
            while len(points) > 1:  # de Casteljau, for a line and for a cubic curve alike
                points = [[a + t * (b - a) for a, b in zip(p, q, strict=True)] for p, q in itertools.pairwise(points)]
            yield points[0]
        at = corners[-1]
        assert kind in "CL"


def test_layers_are_untangled():
    """Three arrows that cross in the order of the rows do not cross in the picture."""
    layout = arrange([(50.0, 40.0)] * 6, [(2, 3), (1, 4), (0, 5)], [0.0] * 3)
    tops = [top for _, top, _, _ in layout.boxes]

    assert tops[5] < tops[4] < tops[3]
    assert tops[:3] == [tops[5], tops[4], tops[3]]


def test_many_rows_are_laid_out_in_no_time():
    """300 rows, each moved by two earlier ones, take less than a second, and do not overlap."""
    dice = random.Random(5)  # noqa: S311 - any graph will do
    arrows = [(source, i) for i in range(2, 300) for source in dice.sample(range(max(0, i - 20), i), 2)]
    start = time.perf_counter()
    layout = arrange([(100.0, 54.0)] * 300, arrows, [40.0] * len(arrows))

    assert time.perf_counter() - start < 1
    places = [(x, y, x + wide, y + high) for x, y, wide, high in layout.boxes]
    assert not any(overlap(one, other) for one, other in itertools.combinations(places, 2))


def test_arrows_that_meet_one_box_do_not_cross():
    """They meet it one above the other, in the order of the boxes they come from."""
    layout = arrange([(50.0, 40.0)] * 4, [(2, 3), (0, 3), (1, 3)], [0.0] * 3)
    tops = [layout.boxes[source][1] for source in (2, 0, 1)]
    ports = [float(path.split()[-1]) for path in layout.paths]

    assert 3 == len(set(ports))
    assert sorted(range(3), key=tops.__getitem__) == sorted(range(3), key=ports.__getitem__)


@pytest.mark.parametrize("arrows", [[(i, 8) for i in range(8)], [(0, 2), (1, 3), (0, 3), (1, 2)]])
def test_labels_of_arrows_stand_apart(arrows):
    """Many partials of one row, or of rows whose arrows cross, are written so that no label covers another."""
    layout = arrange([(40.0, 50.0)] * 9, arrows, [50.0] * len(arrows))
    labels = [(x - 25, y - 7, x + 25, y + 7) for x, y in layout.labels]

    assert not any(overlap(one, other) for one, other in itertools.combinations(labels, 2))


def test_long_labels_are_cut():
    """A formula of a hundred letters does not widen its box beyond the limit; text fits into its box."""
    told = {**SURVEY, "rows": [*SURVEY["rows"][:-1], {**SURVEY["rows"][-1], "formula": "sin(" * 40 + "v3" + ")" * 40}]}
    box = of_class(drawn(told), "box")[-1]
    left, _, right, _ = place(box)

    assert texts(box)[0].endswith("…")
    assert all(width(text) * 8 < right - left < 300 for text in texts(box))


def test_wide_letters_get_the_room_they_need():
    """A box of Korean letters is wide enough for them."""
    told = {**SURVEY, "rows": [{**SURVEY["rows"][0], "name": "값이름이조금긴변수", "formula": "값"}]}
    (box,) = of_class(drawn(told), "box")
    left, _, right, _ = place(box)

    assert right - left > 14 * len("값이름이조금긴변수")


def test_a_cut_is_one_box():
    """Rows that were cut out are one box that counts them, between what came before and after."""
    tree = drawn(CUT)
    (cut,) = of_class(tree, "cut")
    ends = {(arrow.get("data-from"), arrow.get("data-to")) for arrow in of_class(tree, "edge")}

    assert "… 94 more rows …" == texts(cut)[0]
    assert {("2", "3"), ("3", "4")} <= ends


def test_the_picture_is_described_in_words():
    """Title and description say what those who do not see it would miss."""
    tree = drawn(SURVEY)

    assert "img" == tree.get("role")
    assert "Computation graph of f at x₁ = 2, x₂ = 5" == tree.find(f"{SVG}title").text
    assert "v₂ = 10 from x₁ and x₂" in tree.find(f"{SVG}desc").text


def test_the_picture_brings_its_own_light_and_dark():
    """Background, text and arrow heads take their colours from variables that a dark screen sets anew."""
    tree = drawn(SURVEY)
    style = tree.find(f"{SVG}style").text
    light, dark = re.findall(r"--paper:(#\w+)", style)

    assert light != dark
    assert "prefers-color-scheme:dark" in style
    assert re.search(r"\.paper\{fill:var\(--paper\)\}", style)
    assert re.search(r"marker path\{fill:var\(--line\)\}", style)
    assert {"userSpaceOnUse"} == {marker.get("markerUnits") for marker in tree.iter(f"{SVG}marker")}


@pytest.mark.parametrize("text", HOSTILE)
def test_text_cannot_break_the_picture(text):
    """Whatever a reader wrote, the picture has the elements it has without, and shows the text."""
    tree = drawn(with_text(text))

    assert [element.tag for element in drawn(SURVEY).iter()] == [element.tag for element in tree.iter()]
    assert f"v₁ = {unicode_text(text)}"[:20] == texts(of_class(tree, "box")[2])[0][:20]


def test_signs_that_xml_forbids_are_replaced():
    """A null or half a surrogate pair in a name does not make the picture unreadable."""
    assert of_class(drawn(with_text("a\0b\ud800c\x1b")), "box")


# --- Graphviz ----------------------------------------------------------------------------------------------------

STRING = r'"((?:[^"\\]|\\.)*)"'


def read_dot(text):
    """Return nodes and edges of a digraph, as its grammar reads them; raise where a line is none of it."""
    lines = text.strip().splitlines()
    assert re.fullmatch(rf"digraph {STRING} {{", lines[0])
    assert "}" == lines[-1]
    nodes, links = {}, []
    for line in lines[1:-1]:
        if found := re.fullmatch(rf"  (n\d+) \[label={STRING}((?:, \w+=\w+)*)\];", line):
            nodes[found[1]] = (_dot_text(found[2]), found[3])
        elif found := re.fullmatch(rf"  (n\d+) -> (n\d+) \[label={STRING}\];", line):
            links.append((found[1], found[2], _dot_text(found[3])))
        else:
            assert line in {"  rankdir=LR;", "  node [shape=box];"} or re.fullmatch(
                r"  n\d+ -> n\d+ \[style=dotted\];", line
            )
    return nodes, links


def _dot_text(quoted):
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], quoted)


def test_dot_has_the_same_boxes_and_arrows():
    """What Graphviz reads is the graph of the data."""
    nodes, links = read_dot(to_dot(SURVEY))

    assert [f"n{i}" for i in range(7)] == list(nodes)
    assert ("v₂ = x₁·x₂\n10", "") == nodes["n3"]
    assert (", style=dashed", ", peripheries=2") == (nodes["n0"][1], nodes["n6"][1])
    assert [(f"n{source}", f"n{target}") for source, target, _ in partials(SURVEY)] == [link[:2] for link in links]
    assert ("n1", "n5", "cos(x₂) = 0.2837") in links


@pytest.mark.parametrize("text", HOSTILE)
def test_dot_quotes_what_a_reader_wrote(text):
    """Quotes, backslashes and brackets in names stay text: read back, the label is what was written."""
    nodes, links = read_dot(to_dot(with_text(text)))

    assert f"v₁ = {unicode_text(text)}\n0.6931" == nodes["n2"][0]
    assert f"{unicode_text(text)} = 0.5" == links[0][2]
    assert 7 == len(nodes)


def test_dot_shows_a_cut():
    """The box of a cut stands between the rows around it."""
    nodes, links = read_dot(to_dot(CUT))

    assert "… 94 more rows …" == nodes["n3"][0]
    assert "n2 -> n3 [style=dotted];" in to_dot(CUT)
    assert ("n3", "n4") == links[2][:2]


# --- Mermaid -----------------------------------------------------------------------------------------------------

# In quotes: letters and signs without a meaning, entities by number, line breaks.
LABEL = r'"((?:[\w \u0080-\U0010ffff,.+()]|#\d+;|<br/>)*)"'


def read_mermaid(text):
    """Return nodes and edges of a flowchart; raise where a line has a sign that means something to Mermaid."""
    lines = text.strip().splitlines()
    assert "flowchart LR" == lines[0]
    nodes, links = {}, []
    for line in lines[1:]:
        if found := re.fullmatch(rf"  (n\d+)(\[\[?){LABEL}(\]\]?)(:::\w+)?", line):
            assert len(found[2]) == len(found[4])
            nodes[found[1]] = (_mermaid_text(found[3]), len(found[2]), found[5])
        elif found := re.fullmatch(rf"  (n\d+) -->\|{LABEL}\| (n\d+)", line):
            links.append((found[1], found[3], _mermaid_text(found[2])))
        else:
            assert re.fullmatch(r"  (n\d+ -\.-> n\d+|classDef (input|cut) stroke-dasharray: \d \d)", line)
    return nodes, links


def _mermaid_text(quoted):
    return re.sub(
        r"#(\d+);", lambda found: chr(int(found[1])), re.sub("#92;\u2060", "#92;", quoted).replace("<br/>", "\n")
    )


def test_mermaid_has_the_same_boxes_and_arrows():
    """What Mermaid reads is the graph of the data, results in double borders."""
    nodes, links = read_mermaid(to_mermaid(SURVEY))

    assert ("v₂ = x₁·x₂\n10", 1, None) == nodes["n3"]
    assert ("x₁\n2", 1, ":::input") == nodes["n0"]
    assert ("v₅ = v₃ − v₄\n11.65", 2, None) == nodes["n6"]
    assert [(f"n{source}", f"n{target}") for source, target, _ in partials(SURVEY)] == [link[:2] for link in links]
    assert ("n1", "n5", "cos(x₂) = 0.2837") in links


@pytest.mark.parametrize("text", HOSTILE)
def test_mermaid_quotes_what_a_reader_wrote(text):
    """Signs of Mermaid's own in names become entities: read back, the label is what was written."""
    nodes, links = read_mermaid(to_mermaid(with_text(text)))

    assert f"v₁ = {unicode_text(text)}\n0.6931" == nodes["n2"][0]
    assert f"{unicode_text(text)} = 0.5" == links[0][2]
    assert 7 == len(nodes)


def test_mermaid_shows_a_cut():
    """The box of a cut stands between the rows around it."""
    nodes, links = read_mermaid(to_mermaid(CUT))

    assert ("… 94 more rows …", 1, ":::cut") == nodes["n3"]
    assert "n2 -.-> n3" in to_mermaid(CUT)
    assert ("n3", "n4") == links[2][:2]
