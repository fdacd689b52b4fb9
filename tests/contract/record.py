"""Writes down what the newest version of each schema puts into bytes, once: `python -m tests.contract.record`.

Run it after a version was added. What is recorded is never changed; it shows that bytes written then are still read today.
"""

from pathlib import Path

import msgspec

from schemas.codec import Codec
from schemas.contracts import contracts
from schemas.jsonvalues import value_to_json
from tests.support.typed_records import examples

RECORDED = Path(__file__).parent / "recorded"


def recording(topic: str, version: int) -> Path:
    """The file of a topic's version: a JSON object a line, with the payload as `hex` and the `value` it stands for."""
    return RECORDED / f"{topic}.v{version}.jsonl"


def main() -> None:
    """Record the newest version of each topic that has no recording yet."""
    codec = Codec()
    for topic, contract in contracts().items():
        file = recording(topic, len(contract.versions))
        if not file.exists():
            lines = [
                msgspec.json.encode({"hex": codec.encode(topic, record).hex(), "value": value_to_json(topic, record)})
                for record in examples(topic)
            ]
            file.write_bytes(b"\n".join(lines) + b"\n")
            print(f"recorded {file.name}")


if __name__ == "__main__":
    main()
