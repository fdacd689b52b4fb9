"""A second opinion: every published figure from the plain log, in the most obvious way, without a line of the product.

A log is a list of records `{"topic", "partition", "offset", "timestamp_ms", "value", "headers"?}` with the event as a plain dict.
`acceptance` says which events count, the others say what they amount to at a time.
"""
