"""The help of a command, from the docstring of its function."""

import inspect
from collections.abc import Callable


def help_of(function: Callable[..., object]) -> str:
    """The docstring with each paragraph on one line, for the terminal to break where it ends."""
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
