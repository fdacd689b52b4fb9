"""Contracts: the Avro schemas, one typed record for each, and the codec between bytes and records."""
