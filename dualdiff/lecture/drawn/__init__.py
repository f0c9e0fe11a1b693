"""How a trace is drawn: text, Markdown, LaTeX, graphs and pages, all from its one dict."""
