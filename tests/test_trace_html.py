"""A trace as HTML: the table for notebooks and the page, read by a parser that knows nothing of how they were made."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from drawn_traces import ARRAYS, CUT, HOSTILE, SURVEY, chain, four_digits, with_text

from dualdiff.lecture.drawn.html import table_html, to_html
from dualdiff.lecture.drawn.notation import barred, dotted, plain, unicode_text

TRACES = {"survey": SURVEY, "chain": chain(70), "arrays": ARRAYS, "cut": CUT}
EVERY = pytest.mark.parametrize("told", TRACES.values(), ids=TRACES)
VOID = {"meta", "input", "br"}


class Element:
    """An element of a page: its tag, attributes and children, which are elements and texts."""

    def __init__(self, tag, attributes):
        self.tag, self.attributes, self.children = tag, dict(attributes), []

    def all(self, tag):
        """Return the elements of a tag in here, in order."""
        inner = [child for child in self.children if isinstance(child, Element)]
        return [found for child in inner for found in [*([child] if child.tag == tag else []), *child.all(tag)]]

    @property
    def text(self):
        """The text in here."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


class Reader(HTMLParser):
    """Reads a page into elements, and refuses one whose tags do not match."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.root = Element("page", [])
        self.open = [self.root]
        self.feed(page)
        self.close()
        assert [self.root] == self.open

    def handle_starttag(self, tag, attrs):
        """Open an element."""
        assert len(attrs) == len(dict(attrs)), f"an attribute of {tag} is there twice"
        self.open[-1].children.append(Element(tag, attrs))
        if tag not in VOID:
            self.open.append(self.open[-1].children[-1])

    def handle_startendtag(self, tag, attrs):
        """Open and close an element of the graph."""
        self.open[-1].children.append(Element(tag, attrs))

    def handle_endtag(self, tag):
        """Close the element that is open."""
        assert tag == self.open.pop().tag

    def handle_data(self, data):
        """Add text to the element that is open."""
        self.open[-1].children.append(data)


def read(page):
    """Return a page as elements."""
    return Reader(page).root


def shape_of(element):
    """Return the tags of an element and all in it, with the names of their attributes."""
    inner = [shape_of(child) for child in element.children if isinstance(child, Element)]
    return (element.tag, tuple(element.attributes), tuple(inner))


def steps_of(page):
    """Return the items of all lists of steps."""
    (main,) = read(page).all("main")
    return main.all("li")


def rule_of(item):
    """Return the parts of a step's rule."""
    return item.all("p")[0].text.replace("\n", " ").split(" = ")


def worth(text):
    """Return what a text of numbers comes to."""
    assert re.fullmatch(r"[\d.e+()·− ]+", text)
    return eval(text.replace("·", "*").replace("−", "-"))  # noqa: S307 - digits and signs, as just seen


def expected_cells(told):
    """Return what the columns of numbers say of each row, for rows of numbers."""
    return [[four_digits(x) for x in (row["value"], *row["tangents"], row["adjoint"])] for row in told["rows"]]


# --- the table for notebooks -------------------------------------------------------------------------------------


def test_the_table_agrees_with_the_data():
    """Every cell ends in the number of the data; row and column headers say of what."""
    table = read(table_html(SURVEY)).all("table")[0]
    lines = table.all("tbody")[0].all("tr")
    results = [[cell.text.split(" = ")[-1] for cell in line.all("td")[2:]] for line in lines]
    heads = [head.text for head in table.all("thead")[0].all("th")]

    assert expected_cells(SURVEY) == results
    assert [unicode_text(row["name"]) for row in SURVEY["rows"]] == [line.all("th")[0].text for line in lines]
    assert ["row", "source", "line", "value"] == heads[:4]
    assert [f"{dotted('x1')} = 1", f"{dotted('x2')} = 1", f"{barred('v5')} = 1"] == [
        head.split("seed ")[1] for head in heads[4:]
    ]
    assert ["np.log(x1)", "2"] == [cell.text for cell in lines[2].all("td")[:2]]


def test_the_table_shows_the_chain_rule_in_numbers():
    """A cell has the rule in letters and in numbers, and the products add up to the number they are said to be."""
    cells = [cell.text for cell in read(table_html(SURVEY)).all("td") if cell.text.count(" = ") == 3]
    sums = [cell.split(" = ")[2:] for cell in cells]

    assert f"{dotted('v2')} = x₂·{dotted('x1')} + x₁·{dotted('x2')} = 5·1 + 2·0 = 5" in cells
    pulled = f"{barred('v4')}·cos(x₂) + {barred('v2')}·x₁"
    assert f"{barred('x2')} = {pulled} = (−1)·0.2837 + 1·2 = 1.716" in cells
    assert 16 == len(sums)
    assert [worth(result) for _, result in sums] == pytest.approx([worth(terms) for terms, _ in sums], rel=1e-3)


@EVERY
def test_the_table_reads_well_without_style(told):
    """It has a caption and scopes, and needs no style, class, id or script, which notebooks on the web take away."""
    (table,) = read(table_html(told)).children

    assert "table" == table.tag
    assert "f at " == table.all("caption")[0].text[:5]
    assert {"col", "row"} == {head.attributes["scope"] for head in table.all("th")}
    assert not re.search(r"style|class=|id=|<script|\bon\w+=", table_html(told))


def test_the_table_tells_passes_and_operations():
    """Its foot has the counts of both sweeps."""
    foot = read(table_html(SURVEY)).all("tfoot")[0].text

    assert re.search(r"forward 2\b.*reverse 1\b.*16 / 6.*8 / 2", foot)


def test_the_table_says_what_is_not_there():
    """Directions and steps that were left out are counted; a cut is a row of its own."""
    told = {**SURVEY, "omitted": {"unused": 3, "directions": 12, "rows": 0}}

    assert re.search(r"\b3\b.*\b12\b", read(table_html(told)).all("tfoot")[0].text)
    assert "… 94 more rows …" in [line.text for line in read(table_html(CUT)).all("tr")]


def test_the_table_tells_which_branch_was_taken():
    """A note stands by its row."""
    rows = [*SURVEY["rows"][:-1], {**SURVEY["rows"][-1], "note": "if x1 > 0: taken"}]
    lines = read(table_html({**SURVEY, "rows": rows})).all("tbody")[0].all("tr")

    assert "if x1 > 0: taken" in lines[-1].text
    assert "taken" not in lines[-2].text


@pytest.mark.parametrize("text", HOSTILE)
def test_text_cannot_break_the_table(text):
    """Whatever a reader wrote, the table has the elements it has without, and shows the text."""
    found = read(table_html(with_text(text)))

    assert shape_of(read(table_html(with_text("plain")))) == shape_of(found)
    assert plain(text) in [code.text for code in found.all("code")]


# --- the page ----------------------------------------------------------------------------------------------------


@EVERY
def test_the_page_is_well_formed(told):
    """Tags match, ids are unique, labels lead to elements; there is a language, a title and one main part."""
    page = read(to_html(told))
    ids = re.findall(r'\bid="([^"]+)"', to_html(told))
    labels = re.findall(r'aria-labelledby="([^"]+)"', to_html(told))

    assert len(ids) == len(set(ids))
    assert set(labels) <= set(ids)
    assert "en" == page.all("html")[0].attributes["lang"]
    assert page.all("title")[0].text.startswith("f at ")
    assert 1 == len(page.all("main")) == len(page.all("h1")) == len(page.all("table")) == len(page.all("nav"))


def test_the_page_is_small():
    """A page for a lecture is under 60 000 bytes, and the picture of 70 rows under 400 000."""
    assert len(to_html(SURVEY).encode()) < 60_000
    assert len(to_html(chain(70)).encode()) < 400_000


@EVERY
def test_only_the_pages_own_style_and_script_may_run(told):
    """Everything is forbidden but one style and one script, whose hashes are right; nothing is fetched."""
    page = read(to_html(told))
    (policy,) = [m.attributes["content"] for m in page.all("meta") if "http-equiv" in m.attributes]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    (style,), (script,) = page.all("style"), page.all("script")

    assert "'none'" == rules["default-src"] == rules["base-uri"] == rules["form-action"]
    for element, rule in ((style, "style-src"), (script, "script-src")):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" == rules[rule]
    assert set(rules) == {"default-src", "base-uri", "form-action", "style-src", "script-src"}
    assert not re.search(r"<[^>]+\s(style|src|href|on\w+)=", to_html(told).replace(script.text, ""))
    assert "http" not in re.sub(r"http-equiv|http://www\.w3\.org/2000/svg", "", to_html(told))


def test_the_pages_table_agrees_with_the_data():
    """Before any script runs, every number of the data is in its cell."""
    (table,) = read(to_html(SURVEY)).all("table")
    lines = table.all("tbody")[0].all("tr")
    cells = [[cell for cell in line.all("td") if "data-pass" in cell.attributes] for line in lines]

    assert expected_cells(SURVEY) == [[cell.text for cell in line] for line in cells]
    assert all(list("0123") == [cell.attributes["data-pass"] for cell in line] for line in cells)
    assert [str(i) for i in range(7)] == [line.attributes["data-row"] for line in lines]
    assert "v₂ = x₁·x₂" == lines[3].all("th")[0].text


def test_the_pages_steps_are_the_three_sweeps():
    """Values row by row, tangents for each seed, adjoints from the last row to the first."""
    rows = [int(item.attributes["data-row"]) for item in steps_of(to_html(SURVEY))]
    sections = read(to_html(SURVEY)).all("section")
    sweeps = [s.attributes["data-sweep"] for s in sections if "data-sweep" in s.attributes]

    assert [*range(7), *range(7), *range(7), *reversed(range(7))] == rows
    assert ["values", "forward", "forward", "reverse"] == sweeps


def test_each_step_has_the_rule_in_three_parts():
    """In letters, in numbers, and what comes out, with the reader's own text and its line."""
    items = steps_of(to_html(SURVEY))

    assert ["v₂", "x₁·x₂", "2·5", "10"] == rule_of(items[3])
    assert [dotted("v2"), f"x₂·{dotted('x1')} + x₁·{dotted('x2')}", "5·0 + 2·1", "2"] == rule_of(items[17])
    assert [barred("x1"), f"{barred('v2')}·x₂ + {barred('v1')}·(1/x₁)", "1·5 + 1·0.5", "5.5"] == rule_of(items[27])
    assert ["v₅", "v₃ − v₄", "10.69 − (−0.9589)", "11.65"] == rule_of(items[6])
    assert "source x1*x2, line 2" == items[17].all("p")[1].text


def test_seeds_are_named():
    """Where a pass begins, it says which number was given, and which inputs are held fixed."""
    notes = [item.all("p")[1].text for item in steps_of(to_html(SURVEY))]
    seeds = [i for i, note in enumerate(notes) if "seed of this pass" in note]

    assert [7, 15, 21] == seeds
    assert [8, 14] == [i for i, note in enumerate(notes) if "held fixed in this pass" in note]


def test_the_numbers_of_each_step_add_up():
    """Every sum of products in a rule is the result it is said to be, to the digits shown."""
    parts = [rule_of(item) for item in steps_of(to_html(SURVEY))]
    sums = [found for found in parts if len(found) > 2 and re.fullmatch(r"[\d.e+()·− ]+", found[-2])]

    assert 19 == len(sums)  # all but inputs, the seed, and functions of a number: log(2), sin(5)
    assert [worth(found[-1]) for found in sums] == pytest.approx([worth(found[-2]) for found in sums], rel=1e-3)


@pytest.mark.parametrize("told", [SURVEY, chain(70)], ids=["survey", "chain"])
def test_steps_count_operations_up_to_those_of_the_trace(told):
    """A row with k partials takes k multiplications and k - 1 additions; the last step has the counts of the data."""
    rows = told["rows"]
    spent = {"forward": [], "reverse": []}
    for section in read(to_html(told)).all("section"):
        if (sweep := section.attributes.get("data-sweep")) in spent:
            spent[sweep] += [item.attributes["data-spent"] for item in section.all("li")]
    ahead = [len(row["partials"]) for row in rows] * len(told["directions"])
    sums = [(sum(ahead[: i + 1]), sum(k - 1 for k in ahead[: i + 1] if k)) for i in range(len(ahead))]

    assert [f"× {times}, + {plus}" for times, plus in sums] == spent["forward"]
    for sweep, found in spent.items():
        assert "× {multiplications}, + {additions}".format(**told["counts"][sweep]) == found[-1]


@pytest.mark.parametrize("told", [ARRAYS, CUT], ids=["arrays", "cut"])
def test_steps_of_arrays_do_not_pretend_to_count(told):
    """Where steps would not add up to the counts of the trace, they have none; the totals are there."""
    page = to_html(told)

    assert "data-spent" not in page
    assert page.count("data-totals=") == len(told["directions"]) + 1


def test_a_reverse_pass_goes_only_through_what_its_seed_is_made_from():
    """With two results, rows that only the other one needs have adjoint 0 and cost nothing."""
    rows = [*SURVEY["rows"][:4], {**SURVEY["rows"][5], "role": "output"}]
    rows = [{**row, "adjoint": x} for row, x in zip(rows, (0.0, 0.2836621, 0.0, 0.0, 1.0), strict=True)]
    counts = {"multiplications": 4, "additions": 0}
    told = {**SURVEY, "rows": rows, "seed": "v4", "outputs": ["v1", "v2", "v4"]}
    told |= {"passes": {"forward": 2, "reverse": 3}}
    told |= {"counts": {"forward": {"multiplications": 8, "additions": 2}, "reverse": counts}}
    items = steps_of(to_html(told))[-5:]

    assert [[barred("v2"), "0"], [barred("v1"), "0"]] == [rule_of(item) for item in items[1:3]]
    assert [barred("x2"), f"{barred('v4')}·cos(x₂)", "1·0.2837", "0.2837"] == rule_of(items[3])
    assert ["× 0, + 0", "× 1, + 0"] == [items[i].attributes["data-spent"] for i in (2, 3)]
    assert 'data-turn="3 of 3"' in to_html(told)


def test_a_trace_in_letters_shows_rule_and_letters():
    """With symbols, a step has its rule, and its result in the letters of the inputs."""
    rows = [*SURVEY["rows"][:-1], {**SURVEY["rows"][-1], "tangent_formulas": ["1/x1 + x2", "x1 − cos(x2)"]}]
    item = steps_of(to_html({**SURVEY, "symbols": True, "rows": rows}))[20]

    assert [dotted("v5"), f"{dotted('v3')} − {dotted('v4')}", "1·2 + (−1)·0.2837", "1.716"] == rule_of(item)
    assert "x₁ − cos(x₂)" in item.all("p")[1].text


def test_every_step_is_said_in_words():
    """The sentence for those who hear the page has place, rule, result and source, and no sign of mathematics."""
    said = steps_of(to_html(SURVEY))[26].attributes["data-said"]

    assert said.startswith("Step 27 of 28. Reverse sweep")
    assert "(minus 1) times 0.2837 plus 1 times 2, which is 1.716" in said
    assert not {"·", "−", "×"} & set(said)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_cannot_break_the_page(text):
    """Whatever a reader wrote, the page has the elements it has without, and shows the text."""
    found = read(to_html(with_text(text)))

    assert shape_of(read(to_html(with_text("plain")))) == shape_of(found)
    assert plain(text) in [code.text for code in found.all("code")]
    assert f"v₁ = {unicode_text(text)}" in [head.text for head in found.all("th")]


def test_signs_that_pages_forbid_are_escaped():
    """A null, or half a surrogate pair, is written out, so that the page can be saved as UTF-8."""
    page = to_html(with_text("a\0b\ud800c\x1b\u2028d"))

    assert page.encode()
    assert not re.search("[\0\x1b\u2028\ud800]", page)
