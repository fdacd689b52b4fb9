"""The JSON schema of AsyncAPI 3.0, as the specification's authors publish it on npm."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any, Final

from tests.support.parts import lacking

VERSION: Final = "6.11.1"
MEMBER: Final = "package/schemas/3.0.0-without-$id.json"
FOLDER: Final = Path(__file__).parents[2] / ".cache" / f"asyncapi-specs-{VERSION}"
FETCH_LIMIT_S: Final = 100


def asyncapi_schema() -> dict[str, Any]:
    """The schema, fetched by npm the first time; the test is skipped where neither is there."""
    package = FOLDER / f"asyncapi-specs-{VERSION}.tgz"
    if not package.exists():
        npm = shutil.which("npm")
        if npm is None:
            lacking("npm is not installed, which brings the schema of AsyncAPI")
        FOLDER.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [npm, "pack", "--silent", f"@asyncapi/specs@{VERSION}"],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            check=False,
            timeout=FETCH_LIMIT_S,
        )
        if done.returncode != 0:
            lacking(f"npm could not fetch the schema of AsyncAPI: {done.stderr.strip()[-300:]}")
    with tarfile.open(package) as archive:
        member = archive.extractfile(MEMBER)
        assert member is not None, MEMBER
        found: dict[str, Any] = json.load(member)
    return found
