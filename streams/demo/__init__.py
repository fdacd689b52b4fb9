"""The demo: a broker, a worker and customers, all on this machine and gone afterwards."""

from streams.demo.options import DemoOptions
from streams.demo.show import run

__all__ = ["DemoOptions", "run"]
