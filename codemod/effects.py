"""What running a piece of code can change: pure calls, log lines, changed names.

An expression is *pure* here when running it twice, once or not at all makes no difference that the
program or its user could see. *Stable* is stronger: running it again gives an equal value as long
as the names it reads keep theirs (``uuid4()`` is pure, but not stable).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from codemod.index import MUTATORS
from codemod.syntax import (
    EXITS,
    children,
    descendants,
    dotted,
    keyword,
    last_name,
    root_name,
    string_value,
)

#: Functions that only compute a value from their arguments.
_STABLE_FUNCTIONS = frozenset(
    "str int float bool bytes len repr format abs min max round sorted tuple list dict set"
    " frozenset isinstance callable getattr hasattr hash ord chr hex sum any all enumerate zip"
    " range reversed type bytearray".split()
)
#: The same for functions of modules, by their last two names.
_STABLE_QUALIFIED = frozenset(
    "os.path.join os.path.basename os.path.dirname os.path.splitext os.path.abspath"
    " os.path.normpath os.path.expanduser os.path.split posixpath.join posixpath.basename"
    " os.getenv os.environ.get os.fspath json.dumps base64.b64encode base64.b64decode"
    " urllib.parse.urlparse urllib.parse.urlsplit urllib.parse.quote urllib.parse.quote_plus"
    " urlparse urlsplit quote quote_plus hashlib.md5 hashlib.sha1 hashlib.sha256 Path"
    " pathlib.Path PurePath PurePosixPath pathlib.PurePath pathlib.PurePosixPath"
    " datetime.date datetime.datetime datetime.timedelta"
    " mimetypes.guess_type os.path.exists os.path.isfile os.path.getsize textwrap.dedent"
    " re.compile re.escape re.findall re.fullmatch re.match re.search re.split"
    " dataclasses.asdict dataclasses.astuple asdict astuple".split()
)
#: Functions that give another value at each call but do nothing else.
_FRESH_QUALIFIED = frozenset(
    "uuid.uuid1 uuid.uuid4 uuid1 uuid4 time.time time.time_ns time.monotonic time.perf_counter"
    " time.strftime time.gmtime time.localtime datetime.now datetime.utcnow datetime.today"
    " datetime.datetime.now datetime.datetime.utcnow datetime.date.today date.today os.getcwd"
    " os.getpid secrets.token_hex secrets.token_urlsafe random.random random.randint"
    " random.choice random.choices socket.gethostname strftime gmtime perf_counter".split()
)
#: Those of them that never give the same twice; a date is the same all day.
_UNIQUE_QUALIFIED = frozenset(
    "uuid.uuid1 uuid.uuid4 uuid1 uuid4 time.time time.time_ns secrets.token_hex"
    " secrets.token_urlsafe".split()
)
#: Methods of strings, bytes, paths, dates, mappings and sequences that change nothing.
_STABLE_METHODS = frozenset(
    "format format_map join split rsplit partition rpartition splitlines strip lstrip rstrip"
    " lower upper title capitalize casefold replace removeprefix removesuffix zfill ljust rjust"
    " center startswith endswith find rfind index rindex count isdigit isalpha isalnum encode"
    " decode hex hexdigest digest get keys values items copy strftime isoformat timestamp date"
    " time as_posix as_uri with_suffix with_name joinpath relative_to resolve absolute"
    " default_bucket getvalue tobytes total_seconds geturl get_secret_value astimezone"
    " match fullmatch group groups groupdict".split()
)
#: Those of them that other things have as well, where they may do anything.
_AMBIGUOUS_METHODS = frozenset(
    "get count copy replace index find time date resolve items keys values join format title"
    " encode decode center match group groups".split()
)
#: Names of modules and of connections, whose methods are nothing of the kind.
_NO_VALUES = re.compile(
    r"^(os|shutil|requests|httpx|aiohttp|urllib3?|subprocess|sys)$"
    r"|(^|_)(session|http|https|api|metrics?|statsd|stats|redis|cache|queue|client|table)$",
    re.IGNORECASE,
)
_LOG_METHODS = frozenset(
    "debug info warning warn error exception critical fatal log success trace print echo"
    " secho".split()
)
_LOG_OBJECTS = re.compile(
    r"(^|_|\.)(log|logger|logging|console|tqdm|click|rich|typer)s?$|^_?log", re.IGNORECASE
)
#: Operations of AWS clients, which change no object of the program.
_OPERATIONS = frozenset(
    "put_object get_object head_object delete_object upload_file upload_fileobj download_file"
    " invoke_endpoint_async".split()
)
#: Stable functions and methods that look at all that is in a collection.
_LOOKING_INTO = frozenset(
    "len sum min max sorted list tuple set dict repr join keys values items count index dumps"
    " any all copy getvalue asdict astuple".split()
)


#: Functions that write what they are given into a file object, which they change, and nothing else.
_WRITERS = frozenset(
    "write writelines writerow writerows writeheader writestr dump dumps save savez"
    " savez_compressed to_csv to_json to_parquet to_excel to_feather to_pickle tobytes compress"
    " packb pack seek flush".split()
)
#: Methods that run functions which their object was given, or wait for those.
_RUNNING = frozenset(
    "start join run submit result map apply apply_async wait execute emit notify dispatch trigger"
    " gather run_until_complete run_in_executor to_thread".split()
)
#: Methods that say what an object holds, and leave it at that.
_DUMPING = frozenset(
    "model_dump model_dump_json json dict to_dict to_json as_dict asdict tobytes SerializeToString"
    " to_records to_csv to_numpy".split()
)
_HANDLES = frozenset("BytesIO StringIO TextIOWrapper ZipFile GzipFile writer DictWriter".split())


def is_dumping(call: cst.Call) -> bool:
    """Tell whether a call asks an object what it holds: ``request.model_dump_json()``."""
    return isinstance(call.func, cst.Attribute) and call.func.attr.value in _DUMPING


def is_writing(call: cst.Call) -> bool:
    """Tell whether a call serialises something or writes it into a file object."""
    return last_name(call.func) in _WRITERS


def makes_handle(call: cst.Call) -> bool:
    """Tell whether a call makes a file object in memory, or something that writes into one."""
    return last_name(call.func) in _HANDLES


def is_log(node: cst.CSTNode) -> bool:
    """Tell whether a call only tells a person something: print, a logger, warnings, st.write."""
    if not isinstance(node, cst.Call):
        return False
    func = node.func
    if isinstance(func, cst.Name):
        return func.value in ("print", "pprint", "display") and _goes_to_terminal(node)
    if isinstance(func, cst.Attribute):
        if func.attr.value in ("warn", "echo", "secho", "pprint"):
            return True
        if func.attr.value not in _LOG_METHODS:
            return False
        receiver = func.value
        if isinstance(receiver, cst.Call):  # logging.getLogger(__name__).info(…)
            receiver = receiver.func
            return last_name(receiver) in ("getLogger", "get_logger", "bind", "opt")
        name = dotted(receiver)
        return name is not None and _LOG_OBJECTS.search(name) is not None
    return False


def _goes_to_terminal(call: cst.Call) -> bool:
    """Tell ``print(…)`` from ``print(…, file=manifest)``."""
    target = keyword(call.args, "file")
    return target is None or dotted(target.value) in ("sys.stdout", "sys.stderr")


def _qualified(func: cst.BaseExpression, table: frozenset[str]) -> bool:
    name = dotted(func)
    while name:
        if name in table:
            return True
        name = name.partition(".")[2]
    return False


def is_stable_call(call: cst.Call) -> bool:
    """Tell whether a call gives an equal value each time its arguments are equal."""
    func = call.func
    if is_fresh_call(call):
        return False
    if _qualified(func, _STABLE_QUALIFIED):
        return True
    if isinstance(func, cst.Attribute):
        if func.attr.value in _AMBIGUOUS_METHODS:
            if _NO_VALUES.search(last_name(func.value) or ""):
                return False
        if func.attr.value == "get":  # of a mapping; a queue's takes no key
            return bool(call.args) and call.args[0].keyword is None
        return func.attr.value in _STABLE_METHODS
    return isinstance(func, cst.Name) and func.value in _STABLE_FUNCTIONS


def depends_on_contents(call: cst.Call) -> bool:
    """Tell whether a stable call gives another value once what it is given holds something else."""
    return last_name(call.func) in _LOOKING_INTO


def fills_in_items(node: cst.BinaryOperation) -> bool:
    """Tell whether text is made of the items of a dictionary: ``"%(name)s" % job``."""
    text = string_value(node.left)
    return (
        isinstance(node.operator, cst.Modulo)
        and isinstance(node.right, cst.Name)
        and (text is None or "%(" in text)
    )


def is_known_by_name(call: cst.Call) -> bool:
    """Tell whether a function, not a method, is taken for a well-known one for its name."""
    return _qualified(call.func, _STABLE_QUALIFIED) or is_fresh_call(call)


def is_known_function(origin: str) -> bool:
    """Tell whether a dotted name, module and all, is that of a function that changes nothing."""
    return "." in origin and (origin in _STABLE_QUALIFIED or origin in _FRESH_QUALIFIED)


def is_ambiguous(method: str) -> bool:
    """Tell whether things that are no plain values have methods of this name as well."""
    return method in _AMBIGUOUS_METHODS


def is_fresh_call(call: cst.Call) -> bool:
    """Tell whether a call gives another value each time and does nothing else."""
    return _qualified(call.func, _FRESH_QUALIFIED)


def is_unique_call(call: cst.Call) -> bool:
    """Tell whether a call never gives a value that another call gives, too."""
    return _qualified(call.func, _UNIQUE_QUALIFIED)


def is_client_factory(call: cst.Call) -> bool:
    """Tell whether a call makes an AWS client or resource, which sends nothing."""
    name = last_name(call.func)
    return name in ("client", "resource", "Session", "Bucket", "Object", "get_session")


def impure_part(node: cst.CSTNode) -> cst.CSTNode | None:
    """Return the first part of an expression that may do more than compute a value."""
    return next(impure_parts(node), None)


def impure_parts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield the parts of an expression that may do more than compute a value.

    Calls that are not known, ``await``, ``yield`` and ``:=`` count; a lambda or the body of a
    comprehension is looked through like any other expression.
    """
    stack = [node]
    while stack:
        current = stack.pop()
        is_known = isinstance(current, cst.Call) and (
            is_stable_call(current) or is_fresh_call(current) or is_client_factory(current)
        )
        if isinstance(current, (cst.Await, cst.Yield, cst.NamedExpr, cst.Call)) and not is_known:
            yield current
        stack.extend(children(current))


def unstable_part(node: cst.CSTNode) -> cst.CSTNode | None:
    """Return the first part of an expression that may give another value the second time."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, (cst.Await, cst.Yield, cst.NamedExpr)):
            return current
        if isinstance(current, cst.Call) and not is_stable_call(current):
            return current
        stack.extend(children(current))
    return None


def runs_what_it_has(call: cst.Call) -> bool:
    """Tell whether a call leads to functions that an object was given: ``thread.start()``."""
    is_named = isinstance(call.func, cst.Attribute) and call.func.attr.value in _RUNNING
    return is_named and not is_stable_call(call)


def changed_by_call(call: cst.Call) -> list[str]:
    """Return the names whose contents (``name[]``) or attributes (``.name``) a call may change."""
    if is_log(call) or is_stable_call(call) or is_fresh_call(call) or is_client_factory(call):
        return []
    changed = []
    func = call.func
    if isinstance(func, cst.Attribute):
        root = root_name(func.value)
        if root is not None and not (func.attr.value in _OPERATIONS or is_dumping(call)):
            changed.append(f"{root.value}[]")
        if func.attr.value in MUTATORS and isinstance(func.value, cst.Attribute):
            changed.append(f".{func.value.attr.value}")
    for arg in call.args:
        if isinstance(arg.value, cst.Name):
            changed.append(f"{arg.value.value}[]")
    return changed


def uses_up(call: cst.Call) -> bool:
    """Tell whether a call takes something from an iterator, or puts it into a collection."""
    by_name = isinstance(call.func, cst.Name) and call.func.value == "next"
    return by_name or (
        isinstance(call.func, cst.Attribute)
        and (call.func.attr.value in MUTATORS or call.func.attr.value == "__next__")
    )


def empties(node: cst.CSTNode) -> bool:
    """Tell whether an expression may use up an iterator, which can be done only once."""
    return any(
        last_name(part.func) in _EATERS
        if isinstance(part, cst.Call)
        else isinstance(part, cst.StarredElement) or (isinstance(part, cst.Arg) and part.star)
        for part in descendants(node)
    )


#: Functions that take everything out of an iterator.
_EATERS = frozenset(
    "join list sorted tuple set frozenset dict bytes bytearray sum min max any all zip map filter"
    " enumerate reversed next iter OrderedDict deque Counter".split()
)


def is_exit(call: cst.Call) -> bool:
    """Tell whether a call ends the program."""
    return dotted(call.func) in EXITS
