"""Make examples/09_lecture.ipynb from examples/09_lecture.py and execute it: ``python tests/notebook.py [FILE]``.

The script is the original, in cells that begin with ``# %%`` or ``# %% [markdown]``; nobody edits the notebook.
"""

import ast
import json
import os
import sys
import tempfile
from pathlib import Path

__all__ = ["LECTURE", "cells", "main"]

ROOT = Path(__file__).resolve().parents[1]
LECTURE = ROOT / "examples" / "09_lecture.py"
COLUMNS = "100"  # the width of all tables, whatever terminal this is called from
KERNEL = "this-python"  # a name that no installed kernel has
CODE, MARKDOWN = "# %%", "# %% [markdown]"
SECONDS = 120  # for one cell
LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}


def cells(script):
    """Return the cells of a script as pairs of kind and text: ("code", …) or ("markdown", …)."""
    found = []
    for line in script.splitlines():
        if line in {CODE, MARKDOWN}:
            found.append(("code" if line == CODE else "markdown", []))
        else:
            found[-1][1].append(line)
    return [(kind, _prose(lines) if kind == "markdown" else "\n".join(lines).strip()) for kind, lines in found]


def _prose(lines):
    """Return Markdown without what makes it Python: number signs, or the quotes of the docstring, whose head is one."""
    text = "\n".join(lines).strip()
    if text.startswith("#"):
        return "\n".join(line[2:] for line in text.splitlines())
    head, _, rest = ast.literal_eval(text).strip().partition("\n")
    return f"# {head.removesuffix('.')}\n{rest}"


def _notebook(script):
    """Return a notebook that has not run."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    new = {"code": new_code_cell, "markdown": new_markdown_cell}
    made = [new[kind](text, id=f"cell-{i:02}") for i, (kind, text) in enumerate(cells(script), 1)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=made, metadata={"kernelspec": kernel, "language_info": LANGUAGE})


def _surroundings(folder):
    """Point Jupyter and IPython to a folder that is thrown away, in which this very Python is the kernel."""
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "--log-level=ERROR", "-f", "{connection_file}"],
        "display_name": KERNEL,
        "language": "python",
    }
    place = folder / "kernels" / KERNEL
    place.mkdir(parents=True)
    (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    homes = dict.fromkeys(("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"), str(folder))
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {
        **homes,
        "JUPYTER_PATH": str(folder),
        "PYTHONPATH": path,
        "COLUMNS": COLUMNS,
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _execute(notebook):
    """Run all cells from top to bottom in a new kernel; a cell that raises ends it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(_surroundings(folder))
        from nbclient import NotebookClient  # reads the environment as it is imported

        NotebookClient(
            notebook,
            kernel_name=KERNEL,
            timeout=SECONDS,
            record_timing=False,
            coalesce_streams=True,  # what is printed in one cell is one output, however it was sent
            resources={"metadata": {"path": name}},
        ).execute()
    notebook.metadata.language_info = LANGUAGE  # without the version that happened to run it


def main(words):
    """Write the notebook, executed, to the file named in words or to its place beside the script."""
    import nbformat

    notebook = _notebook(LECTURE.read_text(encoding="utf-8"))
    _execute(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, words[0] if words else LECTURE.with_suffix(".ipynb"))


if __name__ == "__main__":
    main(sys.argv[1:])
