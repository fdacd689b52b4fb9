"""What stands before the command on the command line, and the settings that come of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Given:
    """The options that all commands share; None stands for one that was not given."""

    config: Path | None = None
    options: Mapping[str, object] = field(default_factory=dict)


def settings_of(context: typer.Context, **own: object) -> "Settings":
    """The settings, of which a command's own options (by the setting's name, None: not given) go before all others.

    Sets logging up accordingly. Raises SettingsError with every mistake.
    """
    from streams.logs import configure_from
    from streams.settings import load_settings

    given = context.find_object(Given) or Given()
    stronger = {name: value for name, value in own.items() if value is not None}
    settings = load_settings({**given.options, **stronger}, config=given.config)
    configure_from(settings)
    return settings
