"""Rules that no linter checks: environment, AWS, features among themselves, and how long code gets."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

SRC = Path(__file__).parent.parent / "src"
LONGEST_FILE, LONGEST_FUNCTION = 300, 45
MOST_ROOMS, MOST_TIES = 22, 100
# What opens connections: of the standard library, of the SDKs, and the clients that somebody might add.
CONNECTING = (
    *("http.client", "http.server", "socket", "socketserver", "ssl", "urllib.request", "xmlrpc", "ftplib", "smtplib"),
    *("awscrt", "boto3", "botocore", "obstore", "aiohttp", "httpx", "requests", "urllib3", "websockets"),
    *("psycopg", "sqlalchemy", "sqlite3"),
)
MAY_CONNECT = {
    # With the connections that check addresses and keep a deadline, for HTTPS origins and the webhook.
    "handler.aws": {"boto3", "botocore", "http.client", "socket", "ssl"},
    "handler.storage.sources": {"http.client", "obstore", "ssl"},
    "handler.storage.results": {"obstore"},
    "handler.records.sql": {"sqlalchemy", "sqlite3"},
    # The HTTP server listens and accepts; it connects to nobody.
    "handler.cli.serve": {"socket"},
    "handler.cli.probes": {"http.server"},
    "handler.entrypoints.server.accepting": {"socket"},
    # Pairs of sockets between a process and those that it has forked; they have no address.
    "imaging.deadlines.killable_process": {"socket"},
    "imaging.deadlines.fork_server_client": {"socket"},
    "imaging.deadlines.fork_server": {"socket"},
    "imaging.deadlines.transfer": {"socket"},
}
"""Which modules, with all below them, may import which of these."""
NO_FEATURES = {"catalogue", "self_check", "steps"}
"""Modules of `features` that are not features."""
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}


@dataclass(frozen=True)
class Module:
    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(ast.parse(self.text)))

    @property
    def is_feature(self) -> bool:
        """Whether it is a feature: a module of `features` that is neither the catalogue nor what reads steps."""
        package, _, rest = self.name.partition(".")
        return package == "features" and rest.partition(".")[0] not in {"", *NO_FEATURES}

    def room(self) -> str:
        """The module or folder directly under the package: `handler.storage.purge` is in `handler.storage`."""
        return ".".join(self.name.split(".")[:2])

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every module that this one may name in an import, wherever it stands, with its line."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module, node.lineno
                yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)

    def at(self, line: int) -> str:
        return f"{self.path.relative_to(SRC)}:{line}"


def _module(path: Path) -> Module:
    parts = path.relative_to(SRC).with_suffix("").parts
    return Module(".".join(part for part in parts if part != "__init__"), path)


MODULES = [_module(path) for path in sorted(SRC.rglob("*.py"))]
NAMES = {module.name for module in MODULES}
FEATURES = {module.room() for module in MODULES if module.is_feature}


def test_the_rules_see_the_code() -> None:
    assert {"imaging", "features", "handler"} <= {module.name for module in MODULES}
    assert FEATURES


def _reads_of_the_environment(module: Module) -> Iterator[int]:
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in {"os", "posix"} and node.attr in ENVIRONMENT:
                yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module in {"os", "posix"}:
            yield from (node.lineno for alias in node.names if alias.name in ENVIRONMENT)


def test_only_settings_reads_the_environment() -> None:
    # `imaging.fonts` writes one variable, by which fontconfig finds its configuration.
    others = [module for module in MODULES if module.name not in {"handler.config", "imaging.fonts"}]
    assert [module.at(line) for module in others for line in _reads_of_the_environment(module)] == []


def _connecting_imports() -> Iterator[tuple[str, str, str]]:
    """The entry of MAY_CONNECT that a module is under (else empty), what it imports that connects, and where."""
    for module in MODULES:
        owner = next((at for at in MAY_CONNECT if module.name == at or module.name.startswith(f"{at}.")), "")
        for name, line in module.imports():
            library = next((each for each in CONNECTING if name == each or name.startswith(f"{each}.")), "")
            if library:
                yield owner, library, module.at(line)


def test_only_aws_and_the_object_stores_open_connections() -> None:
    """Everything else calls `handler.aws`, so that TLS, deadlines and credentials are handled in one place."""
    others = {
        f"{place} imports {library}"
        for owner, library, place in _connecting_imports()
        if library not in MAY_CONNECT.get(owner, ())
    }
    assert sorted(others) == []


def test_what_may_connect_does() -> None:
    """No entry of the list outlives its reason."""
    used: dict[str, set[str]] = {}
    for owner, library, _ in _connecting_imports():
        used.setdefault(owner, set()).add(library)
    assert used == MAY_CONNECT


def test_a_feature_is_imported_by_the_catalogue_alone() -> None:
    """Neither by another feature nor by the machinery; a feature that is a folder may import its own files."""
    found = {
        f"{module.at(line)} imports {name}"
        for module in MODULES
        if module.name != "features.catalogue"
        for name, line in module.imports()
        for feature in FEATURES - {module.room()}
        if name == feature or name.startswith(f"{feature}.")
    }
    assert sorted(found) == []


DIALECTS = "handler.requests.dialects"
DIALECT_NAMES = {path.parent.name for path in (SRC / "handler/requests/dialects").glob("*/__init__.py")}


def test_nothing_outside_their_package_knows_a_dialect() -> None:
    """Dialects are used through their list, so that one is added by a folder and a line."""
    others = [
        module
        for module in MODULES
        if module.name.startswith("handler.") and module.name != DIALECTS and not module.name.startswith(f"{DIALECTS}.")
    ]
    assert len(DIALECT_NAMES) > 1
    imports = [
        f"{module.at(line)} imports {name}"
        for module in others
        for name, line in module.imports()
        if any(name == f"{DIALECTS}.{each}" or name.startswith(f"{DIALECTS}.{each}.") for each in DIALECT_NAMES)
    ]
    strings = [
        f"{module.at(node.lineno)} has {node.value!r}"
        for module in others
        for node in module.nodes
        if isinstance(node, ast.Constant) and node.value in DIALECT_NAMES - {"query"}
    ]
    assert imports + strings == []


def _imported(module: Module) -> set[str]:
    """The modules of ours that a module imports, wherever the import stands and also for types alone."""
    names = {name for name, _ in module.imports()} & NAMES
    # `from package import module` names both; the package itself is meant only where nothing below it is.
    return {name for name in names if not any(other.startswith(f"{name}.") for other in names)} - {module.name}


def _cycles(imported: dict[str, set[str]]) -> list[str]:
    """Remove what imports nothing that is left, until only cycles and what is between them stay."""
    left = dict(imported)
    while done := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in done}
    while unused := left.keys() - {other for others in left.values() for other in others}:
        left = {name: others for name, others in left.items() if name not in unused}
    return sorted(left)


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Neither when it is loaded, nor within a function, nor for its types."""
    assert _cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["b", "c"]
    assert _cycles({module.name: _imported(module) for module in MODULES}) == []


def test_no_folder_imports_itself_by_way_of_its_neighbours() -> None:
    """Nor does a file: what stands in one folder imports each other in one direction, with all that is below it."""
    imported = {module.name: _imported(module) for module in MODULES}
    found = {}
    for package in {name.rpartition(".")[0] for name in imported} - {""}:
        inside = f"{package}."
        parts: dict[str, set[str]] = {}
        for name, others in imported.items():
            if name.startswith(inside):
                part = name.removeprefix(inside).partition(".")[0]
                near = {other.removeprefix(inside).partition(".")[0] for other in others if other.startswith(inside)}
                parts.setdefault(part, set()).update(near - {part})
        if cycle := _cycles(parts):
            found[package] = cycle
    assert found == {}


def test_the_handler_has_few_rooms_and_ties() -> None:
    """What stands directly in `handler`, and which of these import which; farther ties are harder to change."""
    inside = [module for module in MODULES if module.name.startswith("handler.")]
    rooms = {module.room() for module in inside}
    ties = {
        (module.room(), ".".join(name.split(".")[:2]))
        for module in inside
        for name in _imported(module)
        if name.startswith("handler.")
    }
    assert len(rooms) <= MOST_ROOMS
    assert len({(one, other) for one, other in ties if one != other}) <= MOST_TIES


def _too_long(module: Module) -> Iterator[str]:
    lines = module.text.count("\n")
    if lines > LONGEST_FILE:
        yield f"{module.at(1)}: {lines} lines, {LONGEST_FILE} are allowed"
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            span = (node.end_lineno or node.lineno) - node.lineno + 1
            if span > LONGEST_FUNCTION:
                yield f"{module.at(node.lineno)} {node.name}: {span} lines, {LONGEST_FUNCTION} are allowed"


def test_files_and_functions_stay_short() -> None:
    assert [offender for module in MODULES for offender in _too_long(module)] == []
