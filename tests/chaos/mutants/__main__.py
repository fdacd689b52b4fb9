"""`python -m tests.chaos.mutants NAME`: a worker that is broken in one way, told by the module of that name."""

import sys
from importlib import import_module

from streams.logs import configure_from
from streams.settings import load_settings
from streams.worker import run


def main() -> int:
    """Break one thing, then run the worker as it is."""
    import_module(f"tests.chaos.mutants.{sys.argv[1]}").break_it()
    settings = load_settings()
    configure_from(settings)
    return run(settings)


if __name__ == "__main__":
    sys.exit(main())
