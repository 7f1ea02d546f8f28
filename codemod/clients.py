"""What a receiver is: a boto3 client, an S3 resource, a SageMaker session, or something else."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import libcst as cst

from codemod.definitions import Definition, Definitions, Kind
from codemod.index import Index
from codemod.syntax import (
    argument,
    callee,
    descendants,
    dotted,
    is_none,
    is_self,
    keyword,
    last_name,
    string_value,
    subscript_key,
)

#: Regions that the launch of inline payloads (2026-06-17) names; see the AWS announcement.
INLINE_REGIONS = frozenset(
    "ap-south-1 us-west-2 ca-central-1 us-east-1 us-east-2 us-west-1 eu-west-2 ap-northeast-2"
    " ap-southeast-2 ap-east-1 ca-west-1 sa-east-1 mx-central-1 eu-west-1 eu-west-3 eu-central-1"
    " eu-central-2 eu-north-1 eu-south-2 ap-northeast-1 ap-northeast-3 ap-southeast-1"
    " ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-7 ap-south-2 ap-east-2 af-south-1"
    " eu-south-1 il-central-1".split()
)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")
_FOR_REGIONS = ("AWS_DEFAULT_REGION", "AWS_REGION")
_TEST_DOUBLE = re.compile(r"(^|_)(mock|fake|stub|dummy|spy)(ed|s)?(_|$|\d)|^(Magic|Async)?Mock")


class Role(enum.Enum):
    """What kind of object a receiver is."""

    RUNTIME = "sagemaker-runtime client"
    S3 = "s3 client"
    S3_RESOURCE = "s3 resource"
    BUCKET = "s3 bucket"
    OBJECT = "s3 object"
    BOTO_SESSION = "boto3 session"
    SAGEMAKER_SESSION = "sagemaker session"
    S3_UPLOADER = "sagemaker S3Uploader"
    OTHER_AWS = "client of another service"
    FOREIGN = "not boto3"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver's role, its region where a literal says so, and the call that made it.

    ``house`` is a class of these modules that it may be an object of instead.
    """

    role: Role
    region: str | None = None
    made: cst.Call | None = None
    house: cst.ClassDef | None = None


_UNKNOWN = Receiver(Role.UNKNOWN)
_FOREIGN = Receiver(Role.FOREIGN)
_SERVICES = {
    "s3": Role.S3,
    "sagemaker-runtime": Role.RUNTIME,
    "runtime.sagemaker": Role.RUNTIME,
}
_ANNOTATIONS = {
    "S3Client": Role.S3,
    "SageMakerRuntimeClient": Role.RUNTIME,
    "S3ServiceResource": Role.S3_RESOURCE,
}
_MAX_STEPS = 40

_Stores = list[tuple[cst.Attribute, cst.BaseExpression | None]]


class Clients:
    """Resolves receivers through assignments, attributes, sessions and local factories."""

    def __init__(self, index: Index, definitions: Definitions) -> None:
        self._index = index
        self._definitions = definitions
        self._known: dict[cst.CSTNode, Receiver] = {}
        #: What attributes are by their name, unless their own class says more.
        self._stored: dict[str, Receiver] = {}
        self._stores: dict[str, dict[cst.ClassDef | None, _Stores]] = {}

    def receiver(self, node: cst.BaseExpression, steps: int = 0) -> Receiver:
        """Return what an expression is, as far as the file says."""
        found = self._known.get(node)
        if found is None:
            self._known[node] = _UNKNOWN  # what a definition that refers to itself resolves to
            found = self._known[node] = self._resolve(node, steps + 1)
        return found

    def _resolve(self, node: cst.BaseExpression, steps: int) -> Receiver:
        if steps > _MAX_STEPS:
            return _UNKNOWN
        if isinstance(node, cst.Name):
            return self._name(node, steps)
        if isinstance(node, cst.Attribute):
            return self._attribute(node, steps)
        if isinstance(node, cst.Call):
            return self._call(node, steps)
        if isinstance(node, cst.Await):
            return self.receiver(node.expression, steps)
        if isinstance(node, cst.NamedExpr):
            return self.receiver(node.value, steps)
        if isinstance(node, cst.BooleanOperation):
            return _agree(self.receiver(part, steps) for part in (node.left, node.right))
        if isinstance(node, cst.IfExp):
            return _agree(self.receiver(part, steps) for part in (node.body, node.orelse))
        return _UNKNOWN

    def _name(self, node: cst.Name, steps: int) -> Receiver:
        target = self._definitions.target(node)
        if target is not None and target is not self._definitions.of(node):
            return self._definition(target, steps)
        origins = self._definitions.of(node).origins()
        return _agree(self._definition(origin, steps) for origin in origins)

    def _definition(self, definition: Definition, steps: int) -> Receiver:
        node = definition.node
        if _TEST_DOUBLE.search(definition.name):
            return _FOREIGN
        if isinstance(node, cst.Param):
            annotated = _annotated(node.annotation)
            if annotated is not None:
                return annotated
            values = list(self._given(node))
            if node.default is not None and (not values or not is_none(node.default)):
                values.append(node.default)
            return _agree(self.receiver(value, steps) for value in values) if values else _UNKNOWN
        if definition.kind in (Kind.ASSIGNED, Kind.WITH) and definition.value is not None:
            above = self._index.parent.get(node) if node is not None else None
            annotated = _annotated(above.annotation) if isinstance(above, cst.AnnAssign) else None
            return annotated or self.receiver(definition.value, steps)
        if definition.kind is Kind.IMPORTED:
            return self._imported(definition)
        return _UNKNOWN

    def _given(self, param: cst.Param) -> Iterator[cst.BaseExpression]:
        """Yield what the calls of a function that can be read give for a parameter."""
        function = self._index.function(param)
        if not isinstance(function, cst.FunctionDef):
            return
        names = [
            one.name.value for one in (*function.params.posonly_params, *function.params.params)
        ]
        name, position = param.name.value, -1
        if name in names:
            is_method = names[0] in ("self", "cls")
            position = names.index(name) - (1 if is_method else 0)
        called = function.name.value
        mentions = (*self._index.names.get(called, ()), *self._index.attributes.get(called, ()))
        for mention in mentions:
            call = self._index.parent[mention]
            if isinstance(call, cst.Call) and call.func is mention:
                given = argument(call.args, position, name)
                if given is not None and not given.star:
                    yield given.value

    def _imported(self, definition: Definition) -> Receiver:
        assert definition.node is not None
        origin = self._index.imported(definition.node).get(definition.name, definition.name)
        if origin.endswith("S3Uploader"):
            return Receiver(Role.S3_UPLOADER)
        return _UNKNOWN

    def _attribute(self, node: cst.Attribute, steps: int) -> Receiver:
        name = node.attr.value
        if name == "client" and isinstance(node.value, cst.Attribute):
            if node.value.attr.value == "meta":
                inner = self.receiver(node.value.value, steps)
                if inner.role in (Role.S3_RESOURCE, Role.BUCKET, Role.OBJECT, Role.UNKNOWN):
                    return Receiver(Role.S3, inner.region)
        if name == "sagemaker_runtime_client":
            return Receiver(Role.RUNTIME)
        if name == "S3Uploader":
            return Receiver(Role.S3_UPLOADER)
        if name == "boto_session":
            return Receiver(Role.BOTO_SESSION)
        if _TEST_DOUBLE.search(name):
            return _FOREIGN
        target = self._definitions.target(node)
        if target is not None:
            return self._definition(target, steps)
        values = self._class_values(node, name)
        own = self._own_stores(node, name)
        if values or own or name not in self._stored:
            stores = own or self._index.attribute_stores.get(name, [])
            found = self._stored_as(stores, values, steps)
            if values or own:
                return found
            self._stored[name] = found
        return self._stored[name]

    def _own_stores(self, node: cst.Attribute, name: str) -> _Stores:
        """Return what a class that is made from no other gives an attribute of its objects."""
        owner = self._index.class_of(node) if is_self(node.value) else None
        if owner is None or owner.bases:
            return []
        by_class = self._stores.get(name)
        if by_class is None:
            by_class = self._stores[name] = {}
            for target, value in self._index.attribute_stores.get(name, ()):
                made_by = self._index.class_of(target) if is_self(target.value) else None
                by_class.setdefault(made_by, []).append((target, value))
        return [] if None in by_class else by_class.get(owner, [])

    def _stored_as(
        self, stores: _Stores, others: Sequence[cst.BaseExpression], steps: int
    ) -> Receiver:
        """Return what an attribute is that is given some values."""
        annotations = [
            annotated
            for target, _ in stores
            if isinstance(above := self._index.parent[target], cst.AnnAssign)
            and (annotated := _annotated(above.annotation)) is not None
        ]
        if annotations:
            return _agree(annotations)
        values = [*(value for _, value in stores if value is not None), *others]
        if not values:
            return _UNKNOWN
        return _agree(self.receiver(value, steps) for value in values)

    def _class_values(self, node: cst.Attribute, name: str) -> list[cst.BaseExpression]:
        """Return what a class body assigns to an attribute read on ``self`` or ``cls``."""
        owner = self._index.class_of(node)
        if owner is None or not isinstance(node.value, cst.Name):
            return []
        if node.value.value not in ("self", "cls", owner.name.value):
            return []
        walk = self._definitions.walk(owner)
        return [
            definition.value
            for definition in walk.bindings.get(name, ())
            if definition.value is not None
        ]

    def _call(self, node: cst.Call, steps: int) -> Receiver:
        name = callee(node)
        origin = self._definitions.origin(node.func) or ""
        if name is None:
            return _UNKNOWN
        if name in ("client", "create_client", "resource"):
            return self._factory(node, name, origin, steps)
        if name in ("enter_async_context", "enter_context", "__aenter__", "__enter__"):
            inner = node.args[0].value if node.args else None
            if inner is None and isinstance(node.func, cst.Attribute):
                inner = node.func.value
            return self.receiver(inner, steps) if inner is not None else _UNKNOWN
        if name in ("Object", "Bucket") and isinstance(node.func, cst.Attribute):
            return self._resource_part(node, name, node.func.value, steps)
        if name == "Session" or name == "get_session":
            if origin.startswith("sagemaker"):
                return Receiver(Role.SAGEMAKER_SESSION, made=node)
            return Receiver(Role.BOTO_SESSION, self._region(node) or self._usual_region, node)
        if name == "S3Uploader":
            return Receiver(Role.S3_UPLOADER)
        if _TEST_DOUBLE.search(name) or name in ("create_autospec", "patch", "mock_open"):
            return _FOREIGN
        return self._local(node, steps)

    def _factory(self, node: cst.Call, name: str, origin: str, steps: int) -> Receiver:
        service = argument(node.args, 0, "service_name")
        text = string_value(service.value) if service is not None else None
        if text is None and service is not None:
            resolved = self._definitions.resolve(service.value)
            text = string_value(resolved)
        region = self._region(node)
        if region is None and isinstance(node.func, cst.Attribute):
            is_session = not origin.startswith("boto3.")
            owner = self.receiver(node.func.value, steps) if is_session else None
            region = owner.region if owner is not None else self._usual_region
        if text is None:
            return _UNKNOWN
        if name == "resource":
            role = Role.S3_RESOURCE if text == "s3" else Role.OTHER_AWS
        else:
            role = _SERVICES.get(text, Role.OTHER_AWS)
        return Receiver(role, region, node)

    def _region(self, node: cst.Call) -> str | None:
        """Return the region that a call names, in literal text or a constant."""
        found = keyword(node.args, "region_name")
        if found is None and callee(node) == "client" and len(node.args) > 1:
            found = argument(node.args, 1, "region_name")
        if found is None:
            config = keyword(node.args, "config")
            made = self._definitions.resolve(config.value) if config is not None else None
            found = keyword(made.args, "region_name") if isinstance(made, cst.Call) else None
        return self._region_in(found.value) if found is not None else None

    def _region_in(self, node: cst.BaseExpression) -> str | None:
        text = string_value(self._definitions.resolve(node))
        return text if text is not None and _REGION.fullmatch(text) else None

    @cached_property
    def _usual_region(self) -> str | None:
        """The region of clients that name none, where the file sets one for all of them."""
        parent = self._index.parent
        values = []
        for func in self._index.attributes.get("setup_default_session", ()):
            call = parent[func]
            found = keyword(call.args, "region_name") if isinstance(call, cst.Call) else None
            values.append(found.value if found is not None else None)
        for environ in self._index.attributes.get("environ", ()):
            place = parent[environ]
            target = parent[place]
            assign = parent.get(target)
            if isinstance(place, cst.Subscript) and subscript_key(place) in _FOR_REGIONS:
                if isinstance(target, cst.AssignTarget) and isinstance(assign, cst.Assign):
                    values.append(assign.value)
        regions = {self._region_in(value) if value is not None else None for value in values}
        return regions.pop() if len(regions) == 1 else None

    def _resource_part(
        self, node: cst.Call, name: str, owner: cst.BaseExpression, steps: int
    ) -> Receiver:
        inner = self.receiver(owner, steps)
        if inner.role is Role.BUCKET and name == "Object":
            return Receiver(Role.OBJECT, inner.region, node)
        if inner.role in (Role.S3_RESOURCE, Role.UNKNOWN):
            return Receiver(Role.OBJECT if name == "Object" else Role.BUCKET, inner.region, node)
        return _UNKNOWN

    def _local(self, node: cst.Call, steps: int) -> Receiver:
        """Resolve a call of a class or function that the file itself defines."""
        if not isinstance(node.func, (cst.Name, cst.Attribute)):
            return _UNKNOWN
        target = self._definitions.target(node.func)
        if target is not None and isinstance(target.node, cst.ClassDef):
            return Receiver(Role.FOREIGN, house=target.node)
        function = self._definitions.function_called(node)
        if function is None:
            return _UNKNOWN
        values = [
            node.value
            for node in self._index.exits[function]
            if isinstance(node, cst.Return) and node.value is not None
        ]
        return _agree(self.receiver(value, steps) for value in values) if values else _UNKNOWN

    def makers(self, node: cst.BaseExpression) -> Iterator[str]:
        """Yield the dotted names that a receiver nobody knows may come from or be made by."""
        values: list[cst.BaseExpression | None] = [node, self._definitions.resolve(node)]
        if isinstance(node, cst.Attribute):
            stores = self._index.attribute_stores.get(node.attr.value, [])
            values.extend(value for _, value in stores)
        for value in values:
            made = value.func if isinstance(value, cst.Call) else value
            name = dotted(made) if made is not None else None
            if name is not None:
                yield name

    def other_method(self, node: cst.BaseExpression, method: str) -> cst.FunctionDef | None:
        """Return a method of these modules that a call of an AWS client may reach instead.

        If nobody knows what the receiver is, that is one that takes less than the API does.
        """
        receiver = self.receiver(node)
        for function in self._index.defined_functions.get(method, ()):
            owner = self._index.class_of(function)
            if receiver.house is not None and owner is receiver.house:
                return function
            takes_all = function.params.star_kwarg is not None or any(
                one.name.value == "Body"
                for one in (*function.params.params, *function.params.kwonly_params)
            )
            if receiver.role is Role.UNKNOWN and owner is not None and not takes_all:
                if self._index.class_of(node) is not owner:
                    return function
        return None

    def is_foreign(self, node: cst.BaseExpression, method: str) -> bool:
        """Tell whether a method of this name on this receiver is provably not boto3's."""
        role = self.receiver(node).role
        if role in (Role.FOREIGN, Role.OTHER_AWS):
            return True
        name = dotted(node)
        if name is not None and _TEST_DOUBLE.search(last_name(node) or ""):
            return True
        if name in ("self", "cls"):
            owner = self._index.class_of(node)
            return owner is not None and any(
                self._index.class_of(function) is owner
                for function in self._index.defined_functions.get(method, ())
            )
        return name == "super"


def _agree(receivers: Iterable[Receiver]) -> Receiver:
    """Return the one thing that all resolved alternatives are, else unknown."""
    known: list[Receiver] = []
    unknown = False
    for receiver in receivers:
        if receiver.role is Role.UNKNOWN:
            unknown = True
        else:
            known.append(receiver)
    roles = {receiver.role for receiver in known}
    if len(roles) > 1:
        roles.discard(Role.FOREIGN)
    if len(roles) != 1 or (unknown and roles == {Role.FOREIGN}):
        return _UNKNOWN
    chosen = next(receiver for receiver in known if receiver.role in roles)
    house = next((receiver.house for receiver in known if receiver.house is not None), None)
    chosen = replace(chosen, house=house)
    if any(receiver.region != chosen.region for receiver in known):
        chosen = replace(chosen, region=None)
    if any(receiver.made is not chosen.made for receiver in known):
        chosen = replace(chosen, made=None)
    return chosen


def _annotated(annotation: cst.Annotation | None) -> Receiver | None:
    if annotation is None:
        return None
    for part in descendants(annotation.annotation):
        name = (
            last_name(part) if isinstance(part, (cst.Name, cst.Attribute)) else string_value(part)
        )
        if name is None:
            continue
        short = name.rpartition(".")[2].strip("\"' ")
        if short in _ANNOTATIONS:
            return Receiver(_ANNOTATIONS[short])
        if _TEST_DOUBLE.search(short):
            return _FOREIGN
    return None
