"""Apache Kafka itself, started by the tests: its jars come from Maven, it runs as one process and needs no container."""
