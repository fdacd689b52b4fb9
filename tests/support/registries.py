"""A schema registry in memory, whose schemas a test can choose."""

from schemas.registry import RegistryUnreachable


class MemoryRegistry:
    """Ids count from 1; `down` makes it give no answer; `asked` lists the ids that were asked for."""

    def __init__(self) -> None:
        self.schemas: dict[int, str] = {}
        self.subjects: dict[int, str] = {}
        self.asked: list[int] = []
        self.down = False

    def schema_by_id(self, schema_id: int) -> str | None:
        self.asked.append(schema_id)
        if self.down:
            raise RegistryUnreachable("it is down")
        return self.schemas.get(schema_id)

    def register(self, subject: str, schema: str) -> int:
        if self.down:
            raise RegistryUnreachable("it is down")
        schema_id = len(self.schemas) + 1
        self.schemas[schema_id] = schema
        self.subjects[schema_id] = subject
        return schema_id
