"""The commands of `cspulse`, a group a file. What a command needs is imported when it runs, so that `--help` answers at once."""
