"""What several tests share: servers they start, builders, oracles."""
