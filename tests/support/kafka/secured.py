"""Settings of a broker whose second listener asks for TLS with client certificates and SASL."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.support.certificates import Authority

LOGIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule required"


def secure_properties(authority: Authority, folder: Path, passwords: Mapping[str, str]) -> dict[str, str]:
    """The settings, for users with these passwords; the broker's certificate goes into the folder."""
    broker = authority.issue(folder, "broker")
    both = folder / "both.pem"
    both.write_bytes(broker.key.read_bytes() + broker.certificate.read_bytes())
    users = " ".join(f'user_{name}="{password}"' for name, password in passwords.items())
    return {
        "listener.name.secure.ssl.keystore.type": "PEM",
        "listener.name.secure.ssl.keystore.location": str(both),
        "listener.name.secure.ssl.truststore.type": "PEM",
        "listener.name.secure.ssl.truststore.location": str(authority.certificate),
        "listener.name.secure.ssl.client.auth": "required",
        "listener.name.secure.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.secure.plain.sasl.jaas.config": f"{LOGIN} {users};",
    }


def authorized(properties: Mapping[str, str]) -> dict[str, str]:
    """The settings, with an authorizer that allows nobody anything but what an ACL says; the plain listener may do all."""
    return {
        **properties,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }
