"""What IPython adds to Python, masked line for line so that a cell can be read as Python.

``%magic``, ``!shell``, ``x = !shell``, ``obj?`` and the like become calls of a function that is
nowhere defined, with the names that they read as arguments and the names that they bind as targets.
So nothing is moved over them, and a URI that a shell command gets does not go unnoticed.
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

#: Cell magics whose cells run in the namespace of the notebook, once and in order.
_RUNS_PYTHON = frozenset("capture memit notify prun pyinstrument snakeviz time".split())

#: Cell magics whose cells are no Python, or none that shares names with the notebook.
_FOREIGN = frozenset(
    "! bash bigquery cmd cython file html javascript js julia latex markdown md perl pypy python"
    " python2 python3 R ruby script sh SVG svg sql sx system writefile writetemplate".split()
)

#: Those of them that run a script of a shell.
_SHELLS = frozenset("! bash sh script sx system".split())
#: What is given a value in a script, and where that is read.
_SHELL_VARIABLE = re.compile(r"^[ \t]*(?:export[ \t]+)?(\w+)=[\"']?([^\s\"'$`]+)", re.MULTILINE)
_IN_SHELL = re.compile(r"\$(?:\{(\w+)\}|(\w+))")

#: Line magics that take words and not expressions; only ``{name}`` and ``$name`` are looked up.
_TAKES_WORDS = frozenset(
    "alias automagic autoreload cat cd colors conda config cp env less ll load_ext ls mamba man"
    " matplotlib mkdir more mv pip pip3 pwd pylab pyenv reload_ext rm rmdir set_env sx system"
    " uv".split()
)

_SHELL = re.compile(r"!")
_MAGIC = re.compile(r"%{1,2}(?P<name>\w+)")
_HELP = re.compile(r"\?{1,2}[\w%*.]|%{0,2}[\w*][\w*.\[\]\"']*\?{1,2}[ \t]*(?:#.*)?$")
_BINDING = re.compile(r"(?P<targets>[^=!%?#]+?)[ \t]*=[ \t]*(?=[!%][^=\s])")
_TIMED_BINDING = re.compile(r"%(?:time|prun|memit)[ \t]+(?P<targets>[^=!?#]+?)[ \t]*=(?!=)")
#: ``pip install boto3`` is no Python, so IPython takes it for ``%pip install boto3``.
_AUTOMAGIC = re.compile(
    r"(?:pip3?|conda|mamba|uv|cd|ls|ll|mkdir|rmdir|cp|mv|rm|cat|less|more|man)"
    r"[ \t]+(?!(?:in|is|if|and|or|not|for)\b)[-\w./~$\"'*]"
)

#: What runs the rest of a line in a shell.
_SHELL_LINE = re.compile(r"!!?|%(?:sx|system)\b")
#: Commands that may upload to S3; :mod:`codemod.commands` knows them better.
_UPLOADS = re.compile(r"\baws\s.*\b(?:cp|mv|sync|put-object)\b|\bs5cmd\s|\bs3cmd\s")

_NAME = re.compile(r"(?<![\w.])[^\W\d]\w*")
_ASSIGNED = re.compile(r"^[ \t]*([^\W\d]\w*)[ \t]*[-+*/%&|^@<>]{0,2}=(?!=)", re.MULTILINE)
_LOOKED_UP = re.compile(r"\{([^{}]*)\}|\$\$?\{?([^\W\d]\w*)")

#: Whatever matters for where a logical line of Python ends.
_TOKEN = re.compile(
    r"""\#[^\n]*
    | \"""(?:[^\\]|\\.)*?(?:\"""|\Z)
    | '''(?:[^\\]|\\.)*?(?:'''|\Z)
    | "(?:[^"\\\n]|\\.)*"?
    | '(?:[^'\\\n]|\\.)*'?
    | [\[({] | [\])}] | \\\r?\n | \n""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Mask:
    """A line of a cell that is no Python, and the Python that stands for it."""

    line: str
    original: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A cell as Python.

    Attributes:
        text: The Python, line for line where ``left_out`` is ``None``.
        masks: The lines in it that stand for something else.
        left_out: Why the cell is not part of the module; ``text`` then only names what it reads.
        is_remarkable: Whether the user should hear that the cell is left out: it may be Python.
    """

    text: str
    masks: tuple[Mask, ...] = ()
    left_out: str | None = None
    is_remarkable: bool = True


def read_cell(
    source: str, new_name: Callable[[], str], parses: Callable[[str], bool] | None = None
) -> Reading:
    """Read a cell as Python.

    Args:
        source: The text of the cell.
        new_name: Gives a new name for each masked line.
        parses: Tells whether a text is Python, by default by asking ``ast``.
    """
    parses = parses or is_python
    magic = _cell_magic(source)
    if magic is None and parses(source):
        return Reading(source)
    if magic is not None and magic not in _RUNS_PYTHON:
        return _left_out(source, magic, new_name)
    text, masks = _masked(source, new_name)
    if parses(text):
        return Reading(text, tuple(masks))
    bound = dict.fromkeys(_ASSIGNED.findall(source))
    stand_in = " = ".join([*bound, _call(new_name(), _names(source))])
    return Reading(stand_in, left_out="it cannot be read as Python")


def is_python(text: str) -> bool:
    """Tell whether the running Python can parse a text; top-level ``await`` is allowed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text.encode("utf-8").decode("utf-8"))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def _cell_magic(source: str) -> str | None:
    """Return the name of the magic that a cell begins with."""
    first = source.lstrip()
    if not first.startswith("%%"):
        return None
    match = re.match(r"%%[ \t]*(!|\w*)", first)
    return match[1] if match is not None else ""


def _left_out(source: str, magic: str, new_name: Callable[[], str]) -> Reading:
    line, _, body = source.lstrip().partition("\n")
    names = dict.fromkeys(_looked_up(line))
    if magic not in _FOREIGN:
        names |= dict.fromkeys(_names(body) if magic == "timeit" else _looked_up(body))
    text = _call(new_name(), names) if names else ""
    if magic in _SHELLS:
        text = "\n".join((text, *_run_by_shell(line, body, new_name))).rstrip()
    if magic == "timeit":
        why = "%%timeit runs it many times, with names of its own"
    else:
        why = f"%%{magic} is no magic that is known to run Python here"
    return Reading(text, left_out=why, is_remarkable=magic not in _FOREIGN)


def _run_by_shell(line: str, script: str, new_name: Callable[[], str]) -> Iterator[str]:
    """Yield for each line of a script nothing, or a call that stands for an upload by it."""
    given = dict(enumerate(re.split(r"\s+", line.partition(" -s ")[2].strip()), start=1))
    known = dict(_SHELL_VARIABLE.findall(script)) | {str(place): it for place, it in given.items()}
    lines = script.split("\n")
    at = 0
    while at < len(lines):
        end = at + 1
        while lines[end - 1].rstrip().endswith("\\") and end < len(lines):
            end += 1
        plain = _IN_SHELL.sub(
            lambda found: known.get(found[1] or found[2], "{...}"), "\n".join(lines[at:end])
        )
        command = _as_text(plain)
        yield _call(new_name(), [command]) if command is not None else ""
        yield from [""] * (end - at - 1)
        at = end


# -- masking -------------------------------------------------------------------------------


def _masked(source: str, new_name: Callable[[], str]) -> tuple[str, list[Mask]]:
    written: list[str] = []
    masks: list[Mask] = []
    for line, is_masked in _logical_lines(source):
        if is_masked:
            made = list(_masks(line, new_name))
            masks.extend(made)
            written.extend(mask.line for mask in made)
        else:
            written.append(line)
    return "\n".join(written), masks


def _logical_lines(source: str) -> Iterator[tuple[str, bool]]:
    """Yield the logical lines without their newline, and whether each is no Python."""
    at = 0
    while at <= len(source):
        end = source.find("\n", at)
        end = len(source) if end < 0 else end
        is_masked = _is_magic(source[at:end].strip())
        if is_masked:
            while source[at:end].rstrip().endswith("\\") and end < len(source):
                following = source.find("\n", end + 1)
                end = len(source) if following < 0 else following
        else:
            end = _end_of_line(source, at)
        yield source[at:end], is_masked
        at = end + 1


def _is_magic(line: str) -> bool:
    if any(kind.match(line) for kind in (_SHELL, _MAGIC, _HELP, _AUTOMAGIC)):
        return True
    binding = _BINDING.match(line)
    return binding is not None and is_python(f"{binding['targets']} = 0")


def _end_of_line(source: str, at: int) -> int:
    """Return where the logical line of Python that begins somewhere ends."""
    depth = 0
    for token in _TOKEN.finditer(source, at):
        if token[0] in ("(", "[", "{"):
            depth += 1
        elif token[0] in (")", "]", "}"):
            depth -= 1
        elif token[0] == "\n" and depth <= 0:
            return token.start()
    return len(source)


def _masks(lines: str, new_name: Callable[[], str]) -> Iterator[Mask]:
    """Yield a mask for each line of a magic; the first one reads and binds what the magic does."""
    text = lines.strip()
    targets, names = "", list(_read_by_magic(text))
    for kind in (_BINDING, _TIMED_BINDING):
        match = kind.match(text)
        if match is not None and is_python(f"{match['targets']} = 0"):
            targets = f"{match['targets'].strip()} = "
            names = list(_read_by_magic(text[match.end() :]))
    indent = lines[: len(lines) - len(lines.lstrip())]
    for line in lines.split("\n"):
        end = "\r" if line.endswith("\r") else ""
        yield Mask(f"{indent}{targets}{_call(new_name(), names)}{end}", line)
        targets, names = "", []


def _call(name: str, names: Iterable[str]) -> str:
    return f"{name}({', '.join(names)})"


def _read_by_magic(text: str) -> Iterator[str]:
    """Yield what a magic reads: its names, or a command that uploads with what is filled in."""
    shell = _SHELL_LINE.match(text)
    command = _as_text(text[shell.end() :]) if shell is not None else None
    return iter((command,)) if command is not None else _names_of_magic(text)


def _as_text(command: str) -> str | None:
    """Return a command that uploads to S3 as a string of Python, ``None`` if it is another one."""
    joined = re.sub(r"\\\r?\n", " ", command).strip()
    if _UPLOADS.search(joined) is None:
        return None
    written, at, filled = "", 0, ""
    for match in _LOOKED_UP.finditer(joined):
        written += _escaped(joined[at : match.start()]) + f"{{{match[2] or match[1].strip()}}}"
        filled += match[0]
        at = match.end()
    written += _escaped(joined[at:])
    quote = next((one for one in ('"', "'", '"""') if one not in filled), '"')
    text = f"f{quote}{written}{quote}"
    return text if is_python(text) else None


def _escaped(text: str) -> str:
    """Return text as it is written in an f-string, without quotes: the command needs none."""
    return re.sub(r"[\"'\\]", "", text).replace("{", "{{").replace("}", "}}").replace("\n", " ; ")


def _names_of_magic(text: str) -> Iterator[str]:
    """Yield the names that a magic may look up in the notebook."""
    magic = _MAGIC.match(text)
    takes_words = magic is not None and magic["name"] in _TAKES_WORDS
    if _HELP.match(text):
        return iter(())
    if takes_words or _SHELL.match(text) or _AUTOMAGIC.match(text):
        return _looked_up(text)
    return _names(text[magic.end() :] if magic is not None else text)


def _looked_up(text: str) -> Iterator[str]:
    """Yield the names in ``{expression}`` and ``$name``."""
    found: dict[str, None] = {}
    for match in _LOOKED_UP.finditer(text):
        found.update(dict.fromkeys([match[2]] if match[2] else _names(match[1])))
    return (name for name in found if not keyword.iskeyword(name))


def _names(text: str) -> Iterator[str]:
    found = dict.fromkeys(_NAME.findall(text))
    return (name for name in found if not keyword.iskeyword(name))
