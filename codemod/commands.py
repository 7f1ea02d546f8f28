"""Uploads by programs that a command starts: ``aws s3 cp FILE s3://…`` and the like.

The command is found by its text, be it in one piece or a list of words, and whatever runs it: a
function of ``subprocess``, one of the program's own, or a line of a notebook (see
:mod:`codemod.magics`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

import libcst as cst

from codemod.facts import Facts
from codemod.references import same_value
from codemod.syntax import callee
from codemod.template import Hole, Piece, Template, basename, normal, s3_uri, source

_PROGRAM = re.compile(r"(?:^|[;&|]\s*)(?:\S*/)?(?:aws|s5cmd|s3cmd)(?=\s|$)")
#: The words that copy something, after the program and its options.
_COPYING = (("aws", "s3", "cp"), ("aws", "s3", "mv"), ("s5cmd", "cp"), ("s5cmd", "mv"))
_SENDING = (("s3cmd", "put"),)
_ALL_OF_IT = (("aws", "s3", "sync"), ("s5cmd", "sync"), ("s3cmd", "sync"))
_PUTTING = (("aws", "s3api", "put-object"),)
#: Options with nothing after them.
_FLAGS = frozenset(
    "--quiet --only-show-errors --no-progress --recursive --debug --no-verify-ssl --dryrun"
    " --no-sign-request --follow-symlinks --no-follow-symlinks --force --no-guess-mime-type".split()
)
_ENDS = ("&&", "||", ";", "|", "&", ">", ">>", "2>&1")
#: Functions that show a command and do not run it.
_SHOWING = re.compile(
    r"print|log|echo|debug|info|warn|exception|write|display|markdown", re.IGNORECASE
)
#: Methods and functions that take a command apart or put it together.
_FORMING = ("split", "format", "join", "strip", "dedent", "quote")
#: How many places are looked at that may run one command.
_MOST = 20


def sent_by_commands(facts: Facts) -> Iterator[tuple[cst.Call, Template, str]]:
    """Yield what is given a command that uploads, with the address and the name of the command."""
    for command in _commands(facts):
        for segment in _segments(_words(facts, command)):
            found = _sent(segment)
            if found is not None:
                for call in islice(_runs(facts, command), _MOST):
                    yield call, *found


def _commands(facts: Facts) -> Iterator[cst.BaseExpression]:
    """Yield the expressions that are a command, as a text or as a list of words."""
    index = facts.index
    nodes = [
        node for text, found in index.strings.items() if _PROGRAM.search(text) for node in found
    ]
    for texts in index.texts.values():
        for text in texts:
            start = text.parts[0] if isinstance(text, cst.FormattedString) and text.parts else None
            if isinstance(start, cst.FormattedStringText) and _PROGRAM.search(start.value):
                nodes.append(text)
    seen = set()
    for node in nodes:
        whole = _whole(facts, node)
        if whole not in seen:
            seen.add(whole)
            yield whole


def _whole(facts: Facts, node: cst.BaseExpression) -> cst.BaseExpression:
    """Return the list or the larger text of which a text is the first part."""
    index = facts.index
    while True:
        above = index.parent[node]
        if isinstance(above, (cst.BinaryOperation, cst.ConcatenatedString)) and above.left is node:
            node = above
        elif isinstance(above, cst.Element):
            held = index.parent[above]
            if not isinstance(held, (cst.List, cst.Tuple)) or held.elements[0] is not above:
                return node
            node = held
        elif isinstance(above, cst.Attribute) and above.attr.value in ("format", "strip"):
            call = index.parent[above]
            if not isinstance(call, cst.Call) or call.func is not above:
                return node
            node = call
        else:
            return node


def _runs(facts: Facts, command: cst.BaseExpression) -> Iterator[cst.Call]:
    """Yield the calls that are given a command."""
    index = facts.index
    queue, seen = [command], {command}
    for value in queue:
        above = index.parent[value]
        call = index.parent.get(above)
        if isinstance(call, cst.Call) and isinstance(above, (cst.Arg, cst.Attribute)):
            if callee(call) in _FORMING:
                queue.append(call)
            elif isinstance(above, cst.Arg) and isinstance(call.func, (cst.Name, cst.Attribute)):
                is_here = index.function(command) in (
                    index.function(call),
                    index.module_of(command),
                )
                if is_here and not _SHOWING.search(source(call.func)):
                    yield call
        for further in same_value(facts, value):
            if further not in seen and len(seen) < _MOST:
                seen.add(further)
                queue.append(further)


def _words(facts: Facts, command: cst.BaseExpression) -> list[Template]:
    """Return the words of a command, as a shell would, if no value in it has blanks."""
    if isinstance(command, (cst.List, cst.Tuple)):
        return [facts.templates.of(one.value) for one in command.elements]
    words: list[list[Piece]] = [[]]
    for piece in facts.templates.of(command):
        if not isinstance(piece, str):
            words[-1].append(piece)
            continue
        first, *rest = re.split(r"\s+", re.sub(r"[\"'\\]", "", piece))
        words[-1].append(first)
        words += [[one] for one in rest]
    return [normal(one) for one in words if any(one)]


def _segments(words: Sequence[Template]) -> Iterator[list[Template]]:
    """Yield the commands of a line, each from the name of its program on."""
    segment: list[Template] = []
    for word in words:
        if _plain(word) in _ENDS:
            yield segment
            segment = []
        else:
            segment.append(word)
    yield segment


def _plain(word: Template) -> str:
    """Return a word that is nothing but text."""
    return word[0] if len(word) == 1 and isinstance(word[0], str) else ""


def _sent(words: Sequence[Template]) -> tuple[Template, str] | None:
    """Return the address that a command uploads to, and the name of the command."""
    given, options = _arguments(words)
    if not given:
        return None
    names = [_plain(word).rpartition("/")[2] for word in given[:3]]
    for known in (*_COPYING, *_SENDING, *_ALL_OF_IT, *_PUTTING):
        if tuple(names[: len(known)]) != known:
            continue
        rest, named = given[len(known) :], " ".join(known)
        if known in _PUTTING:
            bucket, key = options.get("--bucket"), options.get("--key")
            return (s3_uri(bucket, key), named) if bucket is not None and key is not None else None
        if len(rest) < 2 or _is_address(rest[-2]) or not _may_be_address(rest[-1]):
            return None  # it downloads, or copies what is there
        target = rest[-1]
        is_folder = str(target[-1]).endswith("/")
        if known in _ALL_OF_IT or "--recursive" in options:
            files = Hole(("files", *target), "the files")
            return normal((*target, "" if is_folder else "/", files)), named
        return normal((*target, *(basename(rest[-2]) if is_folder else ()))), named
    return None


def _arguments(words: Sequence[Template]) -> tuple[list[Template], dict[str, Template]]:
    """Return the words of a command that are no options, and the options with their values."""
    given: list[Template] = []
    options: dict[str, Template] = {}
    remaining = iter(words)
    for word in remaining:
        text = _plain(word)
        if not str(word[0] if word else "").startswith("--"):
            given.append(word)
        elif text in _FLAGS or "=" in text or not text:
            options[text] = word
        else:
            options[text] = next(remaining, ())
    return given, options


def _is_address(word: Template) -> bool:
    return bool(word) and str(word[0]).startswith("s3://")


def _may_be_address(word: Template) -> bool:
    return bool(word) and (isinstance(word[0], Hole) or word[0].startswith("s3://"))
