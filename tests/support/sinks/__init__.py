"""What sinks are tested with: one conformance suite, and destinations with faults."""
