"""Generated files are what the code makes of them now: `python -m deploy.generate` writes them."""

from pathlib import Path

import pytest

from deploy.generate.files import REPOSITORY, generated

FILES = generated()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_generated_file_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == FILES[path], "run `python -m deploy.generate`"
