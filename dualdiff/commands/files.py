"""``file.py:function``: a function of the user's own, whose file is run to get it."""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
from typing import TYPE_CHECKING, Any

from dualdiff.commands.words import UsageError
from dualdiff.expression import ExpressionError, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

__all__ = ["FileFunction", "blamed", "load", "named_file"]

_WORD = re.compile(r"(?P<path>.*[^/\\]\.py)(?P<colon>:?)(?P<name>.*)", re.DOTALL | re.IGNORECASE)
_LIBRARIES = {"dualdiff", "numpy", "functools", "contextlib"}  # names that a trace takes for no code of the user's
_MODULES: dict[tuple[str, int, int], ModuleType] = {}  # the files that were run, as they were then
_HERE = re.compile(r" \(defined at [^()]*[/\\]dualdiff[/\\]commands[/\\]\w+\.py:\d+\)")  # of no use to the user
_LONGEST = 600  # characters of a message


class FileFunction:
    """A function of a file.

    Attributes
    ----------
    path : Path
        The file.
    name : str
        The function's name.
    function : callable
        The function itself.
    names : tuple of str
        Its parameters that can be given by name.
    required : tuple of str
        Those of them without a default.
    open : bool
        Whether it takes any other name too.
    """

    def __init__(self, path: Path, name: str, function: Callable[..., Any]) -> None:
        self.path, self.name, self.function = path, name, function
        try:
            self._parameters = [*inspect.signature(function).parameters.values()]
        except (TypeError, ValueError):
            raise UsageError(f"{self.title} does not tell its parameters: call it in a function of your own") from None
        kinds = inspect.Parameter
        several = next((p.name for p in self._parameters if p.kind is kinds.VAR_POSITIONAL), None)
        if several:
            way_out = "call it in a function whose parameters have names"
            raise UsageError(f"{self.title} takes *{several}, to which no name leads: {way_out}")
        named = [p for p in self._parameters if p.kind is not kinds.VAR_KEYWORD]
        self.names = tuple(p.name for p in named)
        self.required = tuple(p.name for p in named if p.default is p.empty)
        self.open = len(named) < len(self._parameters)

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"{quote(self.name)} of {self.path.name}"

    def __call__(self, /, **values: Any) -> Any:
        """Call the function with values by name."""
        first = [p for p in self._parameters if p.kind is inspect.Parameter.POSITIONAL_ONLY]
        given = []
        for p in first:
            if p.name not in values and p.default is p.empty:
                break
            given.append(values.pop(p.name, p.default))
        return self.function(*given, **values)

    def whole(self, name: str) -> bool:
        """Tell whether a parameter says that it takes a whole number, which does not move."""
        return any(p.name == name and p.annotation in {int, "int"} for p in self._parameters)


def named_file(word: str) -> tuple[Path, str] | None:
    """Return the file and the function's name where a word names them, and None where it is something else."""
    found = _WORD.fullmatch(word)
    if not found or (found["name"] and not found["colon"]):
        return None
    from pathlib import Path

    if "=" in word and not Path(found["path"]).is_file():
        return None
    return Path(found["path"]), found["name"].strip()


def load(path: Path, name: str) -> FileFunction:
    """Run a file and return its function.

    As under ``python file.py`` its folder comes first where modules are looked for.  What it prints goes to stderr,
    for stdout is for results.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {quote(str(path))}: {_nearest(path)}")
    state = path.stat()
    key = (str(path.absolute()), state.st_mtime_ns, state.st_size)
    folder = str(path.parent.absolute())
    if key not in _MODULES:
        with _as_a_script(path):
            sys.path.insert(0, folder)
            _MODULES[key] = _run(path)
            with contextlib.suppress(ValueError):  # the file may have done it
                sys.path.remove(folder)
    sys.path.append(folder)  # last, for a file json.py beside it must not take the place of json
    module = _MODULES[key]
    found = getattr(module, name, None) if name else None
    if not callable(found):
        raise UsageError(_lacking(path, module, name))
    return FileFunction(path, name, found)


def _nearest(path: Path) -> str:
    import difflib

    with contextlib.suppress(OSError, ValueError):
        others = sorted(other.name for other in path.parent.glob("*.py"))
        close = difflib.get_close_matches(path.name[:100], others, 1)
        if close:
            return f"write {path.with_name(close[0])}"
    return "write its path from the folder you are in"


def _run(path: Path) -> ModuleType:
    """Run a file as a module under its own name, unless that name is another's."""
    import importlib.util
    import linecache
    from importlib.machinery import SourceFileLoader

    name = path.stem
    first = name.partition(".")[0]
    known = sys.modules.get(name)
    again = known is not None and getattr(known, "__file__", None) == str(path)
    if first in _LIBRARIES or first in sys.stdlib_module_names or (first in sys.modules and not again):
        name = f"{first}_"  # for a file json.py must not take the place of json
    loader = SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None  # noqa: S101 - it is, where there is a loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    linecache.checkcache(str(path))
    with blamed(path):
        loader.exec_module(module)
    return module


@contextlib.contextmanager
def _as_a_script(path: Path) -> Iterator[None]:
    """Let a file see its own name as the only word, and leave no compiled copy beside it."""
    kept = sys.argv, sys.dont_write_bytecode
    sys.argv, sys.dont_write_bytecode = [str(path)], True
    try:
        yield
    finally:
        sys.argv, sys.dont_write_bytecode = kept


def _lacking(path: Path, module: ModuleType, name: str) -> str:
    """Say that a file has no such function, and which it has."""
    import difflib

    own = [
        key
        for key, item in vars(module).items()
        if callable(item)
        and not isinstance(item, type)
        and not key.startswith("_")
        and getattr(item, "__module__", "") == module.__name__
    ]
    close = difflib.get_close_matches(name[:100], own, 1)
    told = f"it has {', '.join(own[:10])}" if own else "it has none"
    way_out = f"write {path}:{(close or own or ['f'])[0]}"
    if not name:
        return f"{quote(path.name)} is a file, and {told}: {way_out}"
    if hasattr(module, name):
        return f"{quote(name)} in {path.name} is no function, and {told}: {way_out}"
    return f"{path.name} has no function {quote(name)}, {told}: {way_out}"


@contextlib.contextmanager
def blamed(path: Path | None, hint: str = "") -> Iterator[None]:
    """Turn an error of the user's code into one line that says where in their file it was raised."""
    try:
        yield
    except (UsageError, ExpressionError):
        raise
    except SystemExit as error:
        name = "the code" if path is None else path.name
        way_out = "put it under if __name__ == '__main__':"
        raise UsageError(f"{name} ends Python with exit code {error.code!r}: {way_out}") from error
    except Exception as error:
        _from_there(error, path)
        own = path is None and isinstance(error, (ValueError, TypeError)) and str(error)  # a sentence of dualdiff's
        said = _one_line(str(error)).replace("choose another at=", "choose other values") if own else _said(error)
        raise UsageError(_place(error, path) + said + hint * isinstance(error, TypeError)) from error


def _from_there(error: BaseException, path: Path | None) -> None:
    """Let the tracebacks of an error and of its causes begin where the user's file comes in."""
    met = set[int]()
    link: BaseException | None = error if path is not None else None
    while link is not None and id(link) not in met:
        met.add(id(link))
        frames = link.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename != str(path):
            frames = frames.tb_next
        if frames is not None:
            link.__traceback__ = frames
        link = link.__cause__ or link.__context__


def _place(error: BaseException, path: Path | None) -> str:
    """Return where in a file an error was raised."""
    if path is None:
        return ""
    import traceback

    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path.name}, line {error.lineno}: "
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if frame.filename == str(path):
            within = "" if frame.name == "<module>" else f", in {frame.name}"
            return f"{path.name}, line {frame.lineno}{within}: "
    return f"{path.name}: "


def _said(error: BaseException) -> str:
    """Return what an error is and says."""
    said = _one_line(" ".join([str(error), *getattr(error, "__notes__", [])]))
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _one_line(text: str) -> str:
    text = _HERE.sub("", text)
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in " ".join(text.split()))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
