"""The rules of the house that no linter knows: environment, AWS, features among themselves, and how long code gets."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

SRC = Path(__file__).parent.parent / "src"
LONGEST_FILE, LONGEST_FUNCTION = 300, 45
CLOUD_LIBRARIES = {"awscrt", "boto3", "botocore", "obstore"}
SPEAK_TO_THE_CLOUD = ("aws", "objects", "results", "vision")
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
        """A plain module of `features`; underscored ones are machinery."""
        package, _, rest = self.name.partition(".")
        return package == "features" and rest != "" and not rest.startswith("_")

    def room(self) -> str:
        """The module or folder directly under the package: `handler.objects.local` is in `handler.objects`."""
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
FEATURES = {module.room() for module in MODULES if module.is_feature}


def test_the_rules_see_the_code() -> None:
    assert {"features", "handler"} <= {module.name for module in MODULES}
    assert FEATURES


def _reads_of_the_environment(module: Module) -> Iterator[int]:
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in {"os", "posix"} and node.attr in ENVIRONMENT:
                yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module in {"os", "posix"}:
            yield from (node.lineno for alias in node.names if alias.name in ENVIRONMENT)


def test_only_settings_reads_the_environment() -> None:
    others = [module for module in MODULES if module.name != "handler.config"]
    assert [module.at(line) for module in others for line in _reads_of_the_environment(module)] == []


def test_only_the_adapters_import_cloud_libraries() -> None:
    """`handler.aws`, `.objects`, `.results`, `.vision`, and modules whose names begin like that."""
    others = [
        module for module in MODULES if not module.name.startswith(tuple(f"handler.{at}" for at in SPEAK_TO_THE_CLOUD))
    ]
    found = {
        module.at(line) for module in others for name, line in module.imports() if name.split(".")[0] in CLOUD_LIBRARIES
    }
    assert sorted(found) == []


def test_a_feature_is_imported_by_the_catalogue_alone() -> None:
    """Neither by another feature nor by the machinery; a feature that is a folder may import its own files."""
    found = {
        f"{module.at(line)} imports {name}"
        for module in MODULES
        if module.name != "features._catalogue"
        for name, line in module.imports()
        for feature in FEATURES - {module.room()}
        if name == feature or name.startswith(f"{feature}.")
    }
    assert sorted(found) == []


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
