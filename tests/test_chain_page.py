"""chain in a notebook: tables that read well unstyled, read back by a parser of HTML."""

from html.parser import HTMLParser

from chains import classic, g, layered

from dualdiff.lecture.chained.chaining import chain


class Tables(HTMLParser):
    """Reads the tables of a page, each as its caption and its rows, and the text outside of them."""

    def __init__(self, page):
        super().__init__()
        self.tables, self.rest, self.tags, self.open = {}, [], set(), []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        """Open a cell, a row or a table."""
        self.tags.add(tag)
        self.open.append(tag)
        if tag == "th":
            assert dict(attrs)["scope"] in {"row", "col"}
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        """Close what was opened last."""
        assert tag == self.open.pop()

    def handle_data(self, data):
        """Put text where it stands."""
        if "caption" in self.open:
            self.rows = self.tables.setdefault(data, [])
        elif {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data
        elif data.strip():
            self.rest.append(data)


def test_page_is_tables_and_sentences():
    """A notebook gets matrices with their names as heads, entries with their paths, and the check."""
    page = Tables(classic()._repr_html_())

    assert [["", "s", "t"], ["f", "38", "26"]] == page.tables["J = J₂·J₁ = ∂f/∂(s, t)"]
    assert [["", "x₁", "x₂"], ["f", "2·x₁ = 12", "2"]] == page.tables["J₂ = ∂f/∂(x₁, x₂)"]
    assert [["", "s", "t"], ["x₁", "t = 3", "s = 2"], ["x₂", "1", "1"]] == page.tables["J₁ = ∂(x₁, x₂)/∂(s, t)"]
    assert "∂f/∂s = 12·3 + 2·1 = 38   (through x₁: 36, through x₂: 2)" in page.rest
    assert "✓ the Jacobian of f∘g taken directly is exactly the same" in page.rest
    assert "J₂·J₁: 4 multiplications" == page.rest[-1]


def test_page_escapes_everything():
    """What comes from the reader's keys is text, and large matrices are told by their shapes."""
    shown = chain(lambda d: d["<script>&"] ** 2, lambda s: {"<script>&": s})(3.0)
    page = Tables(shown._repr_html_())

    assert {"p", "table", "caption", "tr", "td", "th", "ul", "li"} == page.tags
    assert any("<script>&" in cell for rows in page.tables.values() for row in rows for cell in row)
    assert 1 == sum("200 × 1 000 numbers" in text for text in Tables(layered()._repr_html_()).rest)
    assert {"∂g/∂(s, t)"} == set(Tables(chain(g)(1.0, 2.0)._repr_html_()).tables)
