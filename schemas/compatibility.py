"""Whether what is written with one Avro schema can be read as another, by the resolution rules of Avro's specification.

Stricter than the specification in one point: a symbol that the reader does not have is a break unless the reader's enum has a
default, and each branch of the writer's union must be readable, not only the one that a payload happens to use.
"""

from typing import Any

# What a reader's primitive may also be written as.
_PROMOTED_FROM = {
    "long": {"int"},
    "float": {"int", "long"},
    "double": {"int", "long", "float"},
    "string": {"bytes"},
    "bytes": {"string"},
}


def incompatibilities(writer: Any, reader: Any) -> list[str]:
    """Every reason why a payload of `writer` may not be readable as `reader`, each with its place; none when all are."""
    return list(_Comparison(_definitions(writer), _definitions(reader)).compare(writer, reader, ""))


def _definitions(schema: Any) -> dict[str, Any]:
    """All named types of a schema, by full and by short name."""
    found: dict[str, Any] = {}

    def walk(part: Any) -> None:
        if isinstance(part, list):
            for branch in part:
                walk(branch)
        elif isinstance(part, dict):
            if "name" in part:
                found[part["name"]] = found[_short(part["name"])] = part
            for field in part.get("fields", ()):
                walk(field["type"])
            for inner in ("type", "items", "values"):
                walk(part.get(inner))

    walk(schema)
    return found


def _short(name: str) -> str:
    return name.rpartition(".")[2]


class _Comparison:
    def __init__(self, of_writer: dict[str, Any], of_reader: dict[str, Any]) -> None:
        self._of_writer = of_writer
        self._of_reader = of_reader

    def compare(self, writer: Any, reader: Any, place: str) -> list[str]:
        writer = self._of_writer.get(writer, writer) if isinstance(writer, str) else writer
        reader = self._of_reader.get(reader, reader) if isinstance(reader, str) else reader
        if isinstance(writer, list):
            return [problem for branch in writer for problem in self.compare(branch, reader, place)]
        if isinstance(reader, list):
            tried = [self.compare(writer, branch, place) for branch in reader]
            return [] if [] in tried else min(tried, key=len, default=[f"{place}: the reader's union is empty"])
        written, read = _kind(writer), _kind(reader)
        if written != read:
            return [] if written in _PROMOTED_FROM.get(read, ()) else [f"{place}: {written} cannot be read as {read}"]
        if read in ("array", "map"):
            inner = "items" if read == "array" else "values"
            return self.compare(writer[inner], reader[inner], f"{place}[]")
        if read in ("record", "enum", "fixed") and _short(writer["name"]) != _short(reader["name"]):
            return [f"{place}: the type {writer['name']} cannot be read as {reader['name']}"]
        if read == "record":
            return self._records(writer, reader, place)
        if read == "enum":
            return _symbols(writer, reader, place)
        if read == "fixed" and writer["size"] != reader["size"]:
            return [f"{place}: {writer['size']} bytes cannot be read as {reader['size']}"]
        return []

    def _records(self, writer: Any, reader: Any, place: str) -> list[str]:
        written = {field["name"]: field for field in writer["fields"]}
        problems = []
        for field in reader["fields"]:
            at = f"{place}.{field['name']}"
            if field["name"] in written:
                problems += self.compare(written[field["name"]]["type"], field["type"], at)
            elif "default" not in field:
                problems.append(f"{at}: not written, and the reader has no default")
        return problems


def _kind(schema: Any) -> str:
    kind = schema["type"] if isinstance(schema, dict) else schema
    return str(kind)


def _symbols(writer: Any, reader: Any, place: str) -> list[str]:
    unknown = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
    if unknown and "default" not in reader:
        return [f"{place}: the reader has no {', '.join(unknown)} and no default"]
    return []
