"""Where events come from when no product system sends them: incident logs and the simulator."""
