"""Generate the Helm chart in this folder from deploy/kubernetes, so that both say the same.

    python -m deploy.chart.generate --check | --write

Each file of the kustomization becomes a template. Names begin with the release's instead of `image-handler`, and what
VALUES lists becomes a value, whose default is what the kustomization says. `ingress.yaml`, `NOTES.txt` and `Chart.yaml`
are written by hand.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml
from deploy.chart.values import (
    COMMENTS,
    NAME,
    OF_LIBRARIES,
    OPTIONAL,
    SWITCHES,
    VALUES,
    at,
    files,
    read,
    read_settings,
    schema,
    values,
)

CHART = Path(__file__).parent
_HEADER = "{{/* Generated from deploy/kubernetes/%s by deploy/chart/generate.py */}}\n"
IMAGE = '{{ include "image-handler.image" . }}'
KEYS = '{{ .Values.secrets.keys | default (printf "%s-keys" .Release.Name) }}'
FILES = '{{ .Values.secrets.files | default (printf "%s-secrets" .Release.Name) }}'
DATABASE = '{{ .Values.postgresql.secret | default (printf "%s-postgresql" .Release.Name) }}'
_LABELS = {
    "app.kubernetes.io/managed-by": "{{ .Release.Service }}",
    "helm.sh/chart": "{{ .Chart.Name }}-{{ .Chart.Version }}",
}


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
    """Writes sequences indented, as the files by hand have them."""

    def increase_indent(self, flow: bool = False, *_: object, **__: object) -> None:
        """Indent, whatever PyYAML passes as `indentless`."""
        super().increase_indent(flow)


class _Template:
    """One file on its way to a template: places that are replaced hold marks until the YAML is written."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.content = read(file)
        self._texts: list[tuple[str, str]] = []

    def mark(self, kind: str, text: str) -> str:
        self._texts.append((kind, text))
        return f"@{len(self._texts) - 1}@"

    def write(self) -> str:
        for value in VALUES:
            if value.file == self.file:
                kind = "node" if value.kind in ("array", "object") else "text"
                parent = at(self.content, value.path[:-1])
                parent[value.path[-1]] = self.mark(kind, f".Values.{value.name}")
        if self.file in OPTIONAL:
            path, key, name, kind = OPTIONAL[self.file]
            target = at(self.content, path)
            target[key] = self.mark("option" if kind != "string" else "optional text", f".Values.{name}")
        self.content = self._named(self.content)
        self.content["metadata"]["labels"] = {name: self.mark("raw", text) for name, text in _LABELS.items()}
        if self.file == "deployment.yaml":
            self.content["spec"] = {"replicas": self.mark("replicas", ""), **self.content["spec"]}
        if self.file in ("deployment.yaml", "worker/deployment.yaml"):
            metadata = self.content["spec"]["template"]["metadata"]
            metadata["annotations"] = {
                "checksum/settings": self.mark("raw", '{{ include "image-handler.settings" . | sha256sum }}')
            }
        return _HEADER % self.file + self._switched(self._filled())

    def _named(self, node: Any, key: object = None) -> Any:
        """Return a node with the release's name wherever the kustomization's is."""
        if isinstance(node, dict):
            is_container = "image" in node and "name" in node
            return {each: value if (each == "name" and is_container) or each == "command" else self._named(value, each)
                    for each, value in node.items()}  # fmt: skip
        if isinstance(node, list):
            return [self._named(each, key) for each in node]
        if not isinstance(node, str) or not node.startswith(NAME):
            return node
        known = {f"{NAME}-keys": KEYS, f"{NAME}-secrets": FILES}
        if key == "secretName" and node == f"{NAME}-postgresql":
            return self.mark("raw", DATABASE)
        if key == "image":
            return self.mark("raw", IMAGE)
        return self.mark("raw", known.get(node, "{{ .Release.Name }}" + node.removeprefix(NAME)))

    def _filled(self) -> str:
        text = yaml.dump(self.content, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)
        return re.sub(r"(?m)^(?P<indent> *)(?P<key>(?:- )*(?:[^\s:'@]+:)?) ?'@(?P<number>\d+)@'\n", self._fill, text)

    def _fill(self, match: re.Match[str]) -> str:
        indent, key = match["indent"], match["key"]
        kind, text = self._texts[int(match["number"])]
        space = " " if key else ""
        deeper = len(indent) + 2 * (1 + key.count("- "))
        if kind == "node":
            return f"{indent}{key}\n{' ' * deeper}{{{{- toYaml {text} | nindent {deeper} }}}}\n"
        if kind == "option":
            body = f"{indent}{key}\n{' ' * deeper}{{{{- toYaml . | nindent {deeper} }}}}\n"
            return f"{indent}{{{{- with {text} }}}}\n{body}{indent}{{{{- end }}}}\n"
        if kind == "optional text":
            return f"{indent}{{{{- with {text} }}}}\n{indent}{key} {{{{ . }}}}\n{indent}{{{{- end }}}}\n"
        if kind == "replicas":
            body = f"{indent}{key} {{{{ .Values.replicas }}}}\n"
            return f"{indent}{{{{- if not .Values.autoscaling.enabled }}}}\n{body}{indent}{{{{- end }}}}\n"
        return f"{indent}{key}{space}{text if kind == 'raw' else f'{{{{ {text} }}}}'}\n"

    def _switched(self, text: str) -> str:
        switch = SWITCHES.get(self.file, self.file.partition("/")[0] if "/" in self.file else "")
        if not switch:
            return text
        condition = f".Values.{switch}.enabled"
        if self.file == "worker/networkpolicy.yaml":
            condition = f"and {condition} .Values.networkPolicy.enabled"
        return f"{{{{- if {condition} }}}}\n{text}{{{{- end }}}}\n"


def _values_text() -> str:
    parts = [
        "# Generated from deploy/kubernetes by deploy/chart/generate.py; the defaults are those of the kustomization.\n"
    ]
    for name, value in values().items():
        comment = f"# {COMMENTS[name]}\n" if name in COMMENTS else ""
        parts.append(
            comment + yaml.dump({name: value}, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)
        )
    return "\n".join(parts)


def _config_map() -> str:
    gallery = "\n".join(
        f"{{{{- $_ := set $settings {json.dumps(name)} {json.dumps(value)} }}}}"
        for name, value in read_settings("gallery/settings.env").items()
    )
    libraries = " ".join(json.dumps(name) for name in OF_LIBRARIES)
    return (
        _HEADER % "settings.env and gallery/settings.env" + '{{- define "image-handler.image" -}}\n'
        "{{- with .Values.image -}}\n"
        "{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else if .tag }}:{{ .tag }}{{ end }}\n"
        "{{- end -}}\n{{- end }}\n"
        '{{- define "image-handler.settings" -}}\n'
        f'{{{{- $known := concat (list {libraries}) (.Files.Lines "settings.txt") -}}}}\n'
        "{{- range $name, $value := .Values.settings -}}\n"
        '{{- if not (or (has $name $known) (hasPrefix "IMGPROXY_" $name)) -}}\n'
        '{{- fail (printf "settings.%s: there is no such setting; docs/configuration.md lists all" $name) -}}\n'
        "{{- end -}}\n{{- end -}}\n"
        "{{- $settings := deepCopy .Values.settings -}}\n"
        "{{- if .Values.gallery.enabled -}}\n"
        f"{gallery}\n"
        "{{- end -}}\n"
        "{{- range $name, $value := $settings }}\n"
        "{{ $name }}: {{ $value | quote }}\n"
        "{{- end }}\n{{- end }}\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-settings\n  labels:\n"
        + "".join(f"    {name}: {text}\n" for name, text in _LABELS.items())
        + 'data: {{- include "image-handler.settings" . | nindent 2 }}\n'
    )


def generated() -> dict[Path, str]:
    """Return the text of every generated file of the chart."""
    found = {CHART / "templates" / file.replace("/", "-"): _Template(file).write() for file in files()}
    return {
        **found,
        CHART / "templates" / "settings.yaml": _config_map(),
        CHART / "values.yaml": _values_text(),
        CHART / "values.schema.json": json.dumps(schema(), indent=2) + "\n",
    }


def main(arguments: list[str]) -> int:
    """Write the chart, or tell which of its files is not what would be written."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true")
    action.add_argument("--write", action="store_true")
    writes = parser.parse_args(arguments).write
    stale = [
        (path, text) for path, text in generated().items() if not path.is_file() or path.read_text("utf-8") != text
    ]
    for path, text in stale:
        if writes:
            path.write_text(text, "utf-8")
        else:
            sys.stderr.write(f"{path.relative_to(CHART.parents[1])} is out of date: run make reference\n")
    return int(bool(stale) and not writes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
