"""What would other definitions have said? Replays of one log, held against each other and against who left."""
