"""The codec that the settings ask for."""

from schemas.codec import Codec
from schemas.registry import ConfluentRegistry
from streams.settings import Settings


def codec_of(settings: Settings) -> Codec:
    """A codec that decodes every encoding and writes the configured one, with the configured registry if there is one."""
    return Codec(_registry(settings), settings.value_encoding)


def _registry(settings: Settings) -> ConfluentRegistry | None:
    if settings.schema_registry_url is None:
        return None
    config: dict[str, object] = {"url": settings.schema_registry_url}
    if settings.schema_registry_username is not None and settings.schema_registry_password is not None:
        password = settings.schema_registry_password.get_secret_value()
        config["basic.auth.user.info"] = f"{settings.schema_registry_username}:{password}"
    if settings.schema_registry_ca_location is not None:
        config["ssl.ca.location"] = str(settings.schema_registry_ca_location)
    return ConfluentRegistry(config)
