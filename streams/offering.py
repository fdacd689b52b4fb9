"""Addresses at which a process is asked: metrics and probes."""

from streams.settings import Settings


class PortTaken(Exception):
    """An address of the settings cannot be listened on; the text says which, and what to set."""


def metrics_not_offered(settings: Settings, error: OSError) -> PortTaken:
    """The address of the metrics cannot be had."""
    return _taken("metrics cannot be offered", "METRICS", settings.metrics_host, settings.metrics_port, error)


def probes_not_answered(settings: Settings, error: OSError) -> PortTaken:
    """The address of the probes cannot be had."""
    return _taken("/live and /ready cannot be answered", "PROBE", settings.probe_host, settings.probe_port, error)


def _taken(what: str, variables: str, host: str, port: int, error: OSError) -> PortTaken:
    return PortTaken(
        f"{what} at {host}:{port} ({error.strerror or error}): set CSPULSE_{variables}_HOST and CSPULSE_{variables}_PORT to an "
        "address of this machine and a free port, or the port to 0"
    )
