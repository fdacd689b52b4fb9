"""The versions of the definitions that are in the log, compiled.

Version 0 is the built-in default, in force until a version is applied. Old versions stay: a rebuild needs them.
"""

import asyncio
from importlib.resources import files

from processors.definitions import Definitions, parse
from schemas.records import DefinitionsVersion


class UnknownDefinitions(Exception):
    """A tick names a version of the definitions that is not in `cs.definitions`."""


def default_text() -> str:
    """The definitions file that comes with the product."""
    return (files("processors") / "default.toml").read_text(encoding="utf-8")


class Catalogue:
    """The known versions. Belongs to the event loop's thread."""

    def __init__(self) -> None:
        self._versions: dict[int, Definitions] = {0: parse(default_text())}
        self._texts: dict[int, str] = {0: default_text()}
        self._waiting: list[asyncio.Event] = []

    @property
    def newest_version(self) -> int:
        """The highest version known."""
        return max(self._versions)

    def add(self, version: DefinitionsVersion) -> None:
        """Take in a version from the log.

        Raises DefinitionsError: what is in the log was checked before it was written, so this is a version of a newer product.
        """
        self.put(version.version, version.text)

    def put(self, version: int, text: str) -> None:
        """Take in a version by its text.

        Raises DefinitionsError with all mistakes.
        """
        self._versions[version] = parse(text)
        self._texts[version] = text
        for event in self._waiting:
            event.set()

    def get(self, version: int) -> Definitions | None:
        """A version's definitions, None if it is not known (yet)."""
        return self._versions.get(version)

    def text(self, version: int) -> str | None:
        """A version's file."""
        return self._texts.get(version)

    async def wait_for(self, version: int, timeout_s: float) -> None:
        """Wait until a version that a tick names has been read.

        Raises UnknownDefinitions after `timeout_s`.
        """
        if version in self._versions:
            return
        changed = asyncio.Event()
        self._waiting.append(changed)
        try:
            async with asyncio.timeout(timeout_s):
                while version not in self._versions:
                    await changed.wait()
                    changed.clear()
        except TimeoutError as error:
            raise UnknownDefinitions(
                f"version {version} of the definitions is named by a tick or a state and not in cs.definitions"
            ) from error
        finally:
            self._waiting.remove(changed)
