"""Evaluates string expressions to templates, whatever way they are spelled."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

import libcst as cst

from codemod import effects
from codemod.cuts import after_prefix, cut, cut_item
from codemod.definitions import Definition, Definitions, Kind
from codemod.formats import Part, parts_of_format, parts_of_percent, parts_of_string
from codemod.formulas import Formula, formula
from codemod.syntax import (
    argument,
    callee,
    descendants,
    dotted,
    integer_value,
    last_name,
    names_in,
    root_name,
    string_value,
)
from codemod.template import (
    BUCKET_OF,
    KEY_OF,
    Hole,
    Piece,
    Template,
    basename,
    has_text,
    literal,
    normal,
    part_of_uri,
    rest_of,
    source,
)

_JOINS = ("os.path.join", "posixpath.join", "path.join", "ospath.join")
#: Bounds of what is taken apart. A key has at most 1,024 bytes (S3 user guide); what is longer
#: or made in more steps is one hole.
_MAX_DEPTH = 60
_MAX_PIECES = 64
_MAX_TEXT = 4096


def _structure(node: cst.CSTNode) -> str:
    """Return what is the same for two spellings of one expression, whatever their layout."""
    code = cst.Module([]).code_for_node(node)
    try:
        return ast.dump(ast.parse(f"({code})", mode="eval"))
    except (SyntaxError, ValueError):
        return code


#: What may have changed by the next time that it is turned into text.
_MUTABLE = (cst.List, cst.Dict, cst.Set, cst.ListComp, cst.DictComp, cst.SetComp)

_Read = tuple[Definition, ...]
_States = tuple[tuple[object, ...], ...]


class Templates:
    """Evaluates string expressions of one module to templates."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._depth = 0
        self._known: dict[tuple[cst.CSTNode, bool], Template] = {}
        self._spelled: dict[cst.CSTNode, dict[Template, list[cst.BaseExpression]]] = {}

    def of(self, node: cst.BaseExpression, *, is_text: bool = True) -> Template:
        """Return the template of an expression; what cannot be taken apart is one hole.

        Args:
            node: The expression.
            is_text: Whether the place it stands in takes nothing but a string. Where a number
                would do as well, as inside an f-string, ``a + b`` may be a sum.
        """
        known = (node, is_text)
        found = self._known.get(known)
        if found is None:
            if self._depth > _MAX_DEPTH:
                return (self.hole(node),)
            self._depth += 1
            found = normal(self._pieces(node, is_text))
            self._depth -= 1
            if len(found) > _MAX_PIECES or any(
                isinstance(piece, str) and len(piece) > _MAX_TEXT for piece in found
            ):
                found = (self.hole(node),)
            self._known[known] = found
        return found

    def of_definition(self, definition: Definition, *, is_text: bool = True) -> Template:
        """Return the template of the value that a definition gives."""
        if definition.kind is Kind.ASSIGNED and definition.value is not None:
            return self.of(definition.value, is_text=is_text)
        if definition.kind is Kind.UNPACKED and isinstance(definition.node, cst.Name):
            item = self._unpacked(definition.node, definition.value)
            if item is not None:
                return item
        if definition.kind is Kind.AUGMENTED and isinstance(definition.node, cst.AugAssign):
            if isinstance(definition.node.operator, cst.AddAssign):
                if self._depth > _MAX_DEPTH:
                    return (Hole(("definition", definition), definition.name, definition.node),)
                self._depth += 1
                before = self.of_definition(definition.sources[0], is_text=is_text)
                self._depth -= 1
                assert definition.value is not None
                after = self.of(definition.value, is_text=is_text)
                if is_text or has_text(before) or has_text(after):
                    return normal((*before, *after))
        return (Hole(("definition", definition), definition.name, definition.node),)

    def _unpacked(self, target: cst.Name, value: cst.BaseExpression | None) -> Template | None:
        """Return the bucket or the key that is unpacked from a URI, here or in a function."""
        position = self._definitions.index.place_in_tuple(target)
        return self._item(value, position) if value is not None and position is not None else None

    def _item(self, value: cst.BaseExpression, position: int) -> Template | None:
        """Return an item of a sequence, if that is the bucket or the key of a URI."""
        taken = cut_item(self._definitions, value, position)
        if taken is not None:
            return part_of_uri(self.of(taken[0]), taken[1], source(value))
        call = self._definitions.resolve(value)
        function = self._definitions.function_called(call) if isinstance(call, cst.Call) else None
        if function is None or not isinstance(call, cst.Call) or self._depth > _MAX_DEPTH:
            return None
        return self._item_of_result(function, call, position)

    def _item_of_result(
        self, function: cst.FunctionDef, call: cst.Call, position: int
    ) -> Template | None:
        """Return an item of what a function returns that takes a URI apart."""
        if function.decorators or function.asynchronous is not None:
            return None
        exits = self._definitions.index.exits[function]
        only = exits[0] if len(exits) == 1 else None
        result = only.value if isinstance(only, cst.Return) else None
        given = [one for one in function.params.params if one.name.value not in ("self", "cls")]
        if not isinstance(result, cst.Tuple) or position >= len(result.elements):
            return None
        if len(call.args) != 1 or call.args[0].star or not given:
            return None
        by = call.args[0].keyword
        if by is not None and by.value != given[0].name.value:
            return None
        self._depth += 1
        part = self.of(result.elements[position].value)
        self._depth -= 1
        piece = part[0] if len(part) == 1 else None
        if not isinstance(piece, Hole) or piece.key[0] not in (BUCKET_OF, KEY_OF):
            return None
        if not isinstance(piece.key[1], tuple) or len(piece.key[1]) != 1:
            return None
        (uri,) = piece.key[1]
        of_parameter = isinstance(uri, Hole) and uri.key[0] == "definition"
        if not of_parameter or getattr(uri.key[1], "node", None) is not given[0]:
            return None
        return part_of_uri(self.of(call.args[0].value), str(piece.key[0]), source(call))

    def _pieces(self, node: cst.BaseExpression, is_text: bool) -> Iterable[Piece]:
        text = string_value(node)
        if text is not None:
            return (text,)
        if isinstance(node, cst.ConcatenatedString):
            return (*self.of(node.left), *self.of(node.right))
        if isinstance(node, cst.FormattedString):
            return self._put_together(node, parts_of_string(node))
        number = integer_value(node)
        if number is not None and isinstance(node, cst.Integer):
            return (str(number),)
        if isinstance(node, cst.Name):
            definition = self._definitions.of(node)
            is_mutable = isinstance(definition.value, _MUTABLE) and definition.kind is Kind.ASSIGNED
            if is_mutable or self._definitions.is_rebound_elsewhere(definition):
                return (Hole(("read", node), node.value, node),)
            if definition.kind is Kind.IMPORTED:
                return self._imported(node, is_text) or self.of_definition(definition)
            return self.of_definition(definition, is_text=is_text)
        if isinstance(node, cst.NamedExpr):
            return self.of(node.value, is_text=is_text)
        if isinstance(node, cst.BinaryOperation):
            return self._binary(node, is_text)
        if isinstance(node, (cst.Call, cst.Attribute, cst.Subscript)):
            known = self._cut_out(node) or self._worked_out(node, is_text)
            if known is not None:
                return known
        if isinstance(node, cst.Call):
            return self._call(node)
        if isinstance(node, cst.Attribute):
            return self._attribute(node)
        return (self.hole(node),)

    def _cut_out(self, node: cst.BaseExpression) -> Template | None:
        """Return the bucket or the key that an expression takes out of a URI."""
        taken = cut(self._definitions, node)
        if taken is not None:
            return part_of_uri(self.of(taken[0]), taken[1], source(node))
        rest = after_prefix(self._definitions, node)
        if rest is None or self._depth > _MAX_DEPTH:
            return None
        self._depth += 1
        uri, prefix = self.of(rest.uri), self.of(rest.prefix)
        self._depth -= 1
        start = prefix[0] if prefix else None
        if rest.often and not (isinstance(start, str) and start.startswith("s3://")):
            return None  # a key may have it in it again, but no key holds a URI
        return rest_of(uri, prefix, anywhere=rest.anywhere, text=source(node))

    def spelled(self, function: cst.CSTNode) -> Mapping[Template, list[cst.BaseExpression]]:
        """Return the expressions of a function that put text together, by what they give."""
        found = self._spelled.get(function)
        if found is None:
            found = self._spelled[function] = {}
            for node in self._definitions.index.texts.get(function, ()):
                found.setdefault(self.of(node), []).append(node)
        return found

    def works_out(self, node: cst.Call) -> bool:
        """Tell whether a call is of a function that only puts text together."""
        return self._worked_out(node, is_text=True) is not None

    def _worked_out(self, node: cst.BaseExpression, is_text: bool) -> Template | None:
        """Return what a function or property of the file that only works out text gives."""
        if not isinstance(node, (cst.Call, cst.Attribute)) or self._depth > _MAX_DEPTH:
            return None
        made = formula(self._definitions, node)
        if made is None:
            return None
        self._depth += 1
        inner = self.of(made.result, is_text=is_text)
        self._depth -= 1
        if made.own is not None:
            return self._of_own_method(made, made.own, inner, node)
        pieces: list[Piece] = []
        for piece in inner:
            if isinstance(piece, str):
                pieces.append(piece)
                continue
            definition = piece.key[1] if piece.key[0] == "definition" else None
            if isinstance(definition, Definition) and definition in made.given:
                pieces.extend(self.nested(made.given[definition]))
            elif piece.key[0] == "imported" or (
                isinstance(definition, Definition) and self._is_of_module(definition, node)
            ):
                pieces.append(piece)
            else:
                return None
        return normal(pieces)

    def _of_own_method(
        self, made: Formula, own: Definition, inner: Template, node: cst.CSTNode
    ) -> Template:
        """Return what a method or property gives, in terms of who calls or reads it.

        What cannot be said so is one hole. It is the same each time: a subclass may work it out
        otherwise, but always alike.
        """
        pieces: list[Piece] = []
        for piece in inner:
            translated = self._as_own(piece, made, own, node)
            if translated is None:
                given = tuple(self.of(value) for value in made.given.values())
                return (Hole(("worked out", made.function, own, given), source(node), node),)
            pieces.extend(translated)
        return normal(pieces)

    def _as_own(
        self, piece: Piece, made: Formula, own: Definition, node: cst.CSTNode
    ) -> Template | None:
        """Return a piece of what a method gives as its caller would spell it."""
        if isinstance(piece, str) or piece.key[0] == "imported":
            return (piece,)
        if piece.key[0] == "definition":
            definition = cast(Definition, piece.key[1])
            if definition in made.given:
                return self.nested(made.given[definition])
            return (piece,) if self._is_of_module(definition, node) else None
        params = [*made.function.params.posonly_params, *made.function.params.params]
        if piece.key[0] != "expression" or not params:
            return None
        kind, spelled, read, states = cast("tuple[str, str, _Read, _States]", piece.key)
        names = tuple(own if name.node is params[0] else name for name in read)
        if not all(name is own or self._is_of_module(name, node) for name in names):
            return None
        if any(part is not None for state in states for part in state):
            return None
        if own.name != params[0].name.value:
            its, ours = (f"Name(id='{name}'" for name in (params[0].name.value, own.name))
            spelled = spelled.replace(its, ours)
            contents = self._definitions.states.get(node, ())[-1:]
            states = tuple((*state, *contents) if state else state for state in states)
        return (Hole((kind, spelled, names, states), piece.text, piece.node),)

    def _is_of_module(self, definition: Definition, node: cst.CSTNode) -> bool:
        """Tell whether a name is one of a module, which means the same in all its functions."""
        scope = self._definitions.index.scope(definition.node or node)
        return isinstance(scope, cst.Module)

    def loosely(self, template: Template) -> Template:
        """Return a template with what is known of the text that functions make for its holes.

        Two that are alike then need not be the same string.
        """
        pieces: list[Piece] = []
        stack, looked_into = list(reversed(template)), 0
        while stack:
            piece = stack.pop()
            node = piece.node if isinstance(piece, Hole) else None
            made = None
            if isinstance(node, (cst.Call, cst.Attribute)) and looked_into < _MAX_DEPTH:
                made = formula(self._definitions, node)
            if made is None:
                pieces.append(piece)
            else:
                looked_into += 1
                stack.extend(reversed(list(self._filled_in(made))))
        return normal(pieces)

    def _filled_in(self, made: Formula) -> Iterator[Piece]:
        for piece in self.of(made.result):
            definition = piece.key[1] if isinstance(piece, Hole) else None
            if isinstance(definition, Definition) and definition in made.given:
                yield from self.nested(made.given[definition])
            else:
                yield piece

    def _put_together(self, node: cst.CSTNode, parts: Sequence[Part] | None) -> Iterable[Piece]:
        """Return what the parts of a string give, one hole if nobody knows them."""
        if parts is None:
            return (self.hole(node),)
        pieces: list[Piece] = []
        for part in parts:
            if isinstance(part, str):
                pieces.append(part)
            elif isinstance(part, cst.FormattedStringExpression):
                pieces.append(self.hole(part))
            else:
                pieces.extend(self.nested(part))
        return pieces

    def nested(self, node: cst.BaseExpression) -> Template:
        """Return the template of a value that ``str()`` or a format turns into text."""
        return self.of(node, is_text=False)

    def _binary(self, node: cst.BinaryOperation, is_text: bool) -> Iterable[Piece]:
        if isinstance(node.operator, cst.Add):
            left, right = (self.of(part, is_text=is_text) for part in (node.left, node.right))
            operands = (self._definitions.resolve(node.left), self._definitions.resolve(node.right))
            is_sum = any(isinstance(part, (cst.Integer, cst.Float)) for part in operands)
            if not is_sum and (is_text or has_text(left) or has_text(right)):
                return (*left, *right)
        elif isinstance(node.operator, cst.Modulo):
            pattern = literal(self.of(node.left))
            is_hidden = not isinstance(node.right, cst.Tuple) and isinstance(
                self._definitions.resolve(node.right), cst.Tuple
            )
            if pattern is not None and not is_hidden:
                return self._put_together(node, parts_of_percent(pattern, node.right))
        return (self.hole(node),)

    def _call(self, node: cst.Call) -> Iterable[Piece]:
        name = callee(node)
        plain = not any(arg.star or arg.keyword for arg in node.args)
        if isinstance(node.func, cst.Name):
            if name == "str" and len(node.args) == 1 and plain:
                return self.nested(node.args[0].value)
        elif isinstance(node.func, cst.Attribute):
            if name == "format":
                pattern = literal(self.of(node.func.value))
                if pattern is not None:
                    return self._put_together(node, parts_of_format(pattern, node.args))
            elif name == "join" and plain:
                if dotted(node.func) in _JOINS:
                    return self._path_join([arg.value for arg in node.args])
                between = literal(self.of(node.func.value))
                if between is not None and len(node.args) == 1:
                    return self._joined(node, between)
            elif name in ("as_posix", "__str__") and not node.args:
                return self.of(node.func.value)
            elif name == "default_bucket" and not node.args:
                return (Hole(("default bucket", self.of(node.func.value)), source(node), node),)
            elif name == "basename" and plain and len(node.args) == 1:
                return basename(self.of(node.args[0].value))
        return (self.hole(node),)

    def _joined(self, node: cst.Call, between: str) -> Iterable[Piece]:
        given = node.args[0].value
        items = self._definitions.resolve(given)
        if isinstance(given, cst.Name) and isinstance(items, cst.List):
            if len(list(self._definitions.reads(self._definitions.of(given)))) != 1:
                return (self.hole(node),)  # it may have been changed since it was made
        if not isinstance(items, (cst.List, cst.Tuple)) or any(
            isinstance(element, cst.StarredElement) for element in items.elements
        ):
            return (self.hole(node),)
        pieces: list[Piece] = []
        for position, element in enumerate(items.elements):
            if position:
                pieces.append(between)
            pieces.extend(self.of(element.value))
        return pieces

    def _path_join(self, values: list[cst.BaseExpression]) -> Iterable[Piece]:
        pieces: list[Piece] = []
        for value in values:
            template = self.of(value)
            if pieces and not (isinstance(pieces[-1], str) and pieces[-1].endswith("/")):
                pieces.append("/")
            if template and isinstance(template[0], str) and template[0].startswith("/"):
                pieces = []  # an absolute part discards everything before it
            pieces.extend(template)
            pieces = list(normal(pieces))
        return pieces

    def _imported(self, node: cst.Name | cst.Attribute, is_text: bool) -> Iterable[Piece]:
        """Return what a constant of another module is; nothing if it cannot be told.

        If that module is not read, it is at least the same for all that import it.
        """
        index = self._definitions.index
        root, name = root_name(node), dotted(node)
        if root is None or name is None or last_name(node) in index.attribute_stores:
            return ()
        if self._definitions.of(root).kind is not Kind.IMPORTED:
            return ()
        target = self._definitions.target(node)
        if target is not None and target.kind is Kind.ASSIGNED:
            return self.of_definition(target, is_text=is_text)
        linked = index.linked(index.module_of(root), name)
        if linked is None or not isinstance(linked[0], str):
            return ()
        return (Hole(("imported", *linked), source(node), node),)

    def _attribute(self, node: cst.Attribute) -> Iterable[Piece]:
        """Look through ``self.x`` set just before, and ``.key`` and the like of an S3 resource."""
        stored = self._definitions.attribute_reads.get(node)
        if stored is not None:
            return self.of_definition(stored)
        imported = self._imported(node, is_text=True)
        if imported:
            return imported
        name = node.attr.value
        if name in ("key", "bucket_name", "name"):
            made = self._definitions.resolve(node.value)
            if isinstance(made, cst.Call):
                maker = callee(made)
                position = {
                    ("Object", "key"): 1,
                    ("Object", "bucket_name"): 0,
                    ("Bucket", "name"): 0,
                }
                wanted = position.get((maker or "", name))
                if wanted is not None:
                    found = argument(made.args, wanted, name)
                    if found is not None:
                        return self.of(found.value)
        return (self.hole(node),)

    def _may_change_since(self, node: cst.CSTNode) -> bool:
        """Tell whether an expression of the module may read otherwise in its functions."""
        index = self._definitions.index
        return isinstance(index.function(node), cst.Module) and any(
            isinstance(part, cst.Attribute) and part.attr.value in index.late_attributes
            for part in descendants(node)
        )

    def _asks_own_code(self, node: cst.CSTNode) -> bool:
        """Tell whether an attribute is a function of the file: a property may change each time.

        So may what a function gives that only has the name of a well-known one.
        """
        defined = self._definitions.index.defined_functions
        return any(
            (isinstance(part, cst.Attribute) and part.attr.value in defined)
            or (isinstance(part, cst.Call) and self._definitions.is_namesake(part))
            for part in descendants(node)
        )

    def hole(self, node: cst.CSTNode) -> Hole:
        """Return the hole for an expression that is not taken apart."""
        text = source(node)
        if effects.unstable_part(node) is not None or self._asks_own_code(node):
            return Hole(("evaluated", node), text, node)
        names = tuple(self._definitions.of(name) for name in names_in(node))
        rebound = any(self._definitions.is_rebound_elsewhere(name) for name in names)
        states = tuple(
            self._definitions.states.get(part, ())
            for part in descendants(node)
            if isinstance(part, (cst.Attribute, cst.Subscript, cst.Call, cst.BinaryOperation))
        )
        if self._may_change_since(node):
            states = (*states, ("when loaded",))
        spelled = _structure(node)
        if rebound:
            return Hole(("evaluated", node), text, node)
        return Hole(("expression", spelled, names, states), text, node)

    def member(self, owner: cst.Name, path: str) -> Template:
        """Return what is kept by an object, ``bucket.name``, as a part of a string that reads it.

        Args:
            owner: A name for the object.
            path: The attributes, of which none may change.
        """
        node: cst.BaseExpression = owner
        names = path.split(".")
        for name in names:
            node = cst.Attribute(node, cst.Name(name))
        unchanged = tuple((None,) * count for count in range(len(names), 0, -1))
        key = ("expression", _structure(node), (self._definitions.of(owner),), unchanged)
        return (Hole(key, source(node), owner),)
