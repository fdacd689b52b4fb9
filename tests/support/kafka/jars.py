"""Where Apache Kafka's jars lie, and how they get there."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

KAFKA_VERSION: Final = "4.1.1"
JAVA_VERSION_MIN: Final = 17
POM: Final = Path(__file__).with_name("pom.xml")
REPOSITORY: Final = Path(__file__).parents[3]
DOWNLOAD_LIMIT_S: Final = 600

# Where the jars are kept between runs. Taken out of the environment: cspulse, started by a test, would call it unknown.
FOLDER: Final = Path(os.environ.pop("CSPULSE_KAFKA_DIR", "") or REPOSITORY / ".cache" / f"kafka-{KAFKA_VERSION}")


class PartMissingError(Exception):
    """Something that must be installed on the machine is not there; the message says what."""


def java() -> str:
    """The Java to run. Raises PartMissingError when there is none, or an old one."""
    path = shutil.which("java")
    if path is None:
        raise PartMissingError(f"Java {JAVA_VERSION_MIN} or newer is not installed")
    said = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < JAVA_VERSION_MIN:
        raise PartMissingError(f"Java {JAVA_VERSION_MIN} or newer is needed, and `java -version` says: {said.strip()!r}")
    return path


def jars() -> Path:
    """The folder with the jars, filled by Maven when it is not there yet. Raises PartMissingError."""
    folder = FOLDER / "libs"
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise PartMissingError(f"Maven is not installed, and Apache Kafka {KAFKA_VERSION} is not yet in {FOLDER}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as partial:
        _copy_dependencies(maven, Path(partial) / "libs")
        if not folder.is_dir():  # another run may have been faster
            (Path(partial) / "libs").rename(folder)
    return folder


def _copy_dependencies(maven: str, target: Path) -> None:
    command = [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
    options = ["-DincludeScope=runtime", f"-DoutputDirectory={target}"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False, timeout=DOWNLOAD_LIMIT_S)
    if done.returncode != 0:
        raise PartMissingError(f"Maven could not fetch Apache Kafka {KAFKA_VERSION}: {done.stdout.strip()[-2000:]}")
