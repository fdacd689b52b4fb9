"""What carries results out to people and to other systems."""
