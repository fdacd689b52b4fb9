"""How a long-running process ends, for whoever supervises it."""

from typing import Final

EXIT_DONE: Final = 0
"""Stopped as told."""

EXIT_INCIDENT: Final = 1
"""An incident that a person has to look at."""

EXIT_WRONG: Final = 2
"""Settings, definitions or topics are wrong: starting again would not help."""

EXIT_AGAIN: Final = 75
"""Start me again."""

EXIT_INTERRUPTED: Final = 130
