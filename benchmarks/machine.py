"""What the figures were measured on: a figure without its machine says nothing."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import confluent_kafka as ck

from tests.support.kafka.jars import KAFKA_VERSION

_GIB = 1024**3


def description() -> str:
    """Processor, cores, memory and versions, in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / _GIB:.0f} GiB"
    parts = [
        f"{_processor()}, {cores} cores, {memory}, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
        f"Apache Kafka {KAFKA_VERSION} on the same cores",
        f"librdkafka {ck.libversion()[0]}",
        f"faust-streaming {version('faust-streaming')}",
    ]
    return "; ".join(parts)


def load() -> str:
    """How busy the machine was over the last minute, this benchmark included: runnable processes on average."""
    return f"{os.getloadavg()[0]:.1f}"


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
