"""`python -m streams` is the command `cspulse`; so a supervisor starts its workers."""

from streams.cli import main

if __name__ == "__main__":
    main()
