"""Writes every generated file anew, and says which have changed."""

import sys

from deploy.generate.files import REPOSITORY, generated


def main() -> None:
    """Write what differs."""
    for path, text in generated().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(REPOSITORY)}\n")


if __name__ == "__main__":
    main()
