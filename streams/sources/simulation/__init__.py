"""The parts of the simulator: who the customers are, how they feel, what they do, and how their records arrive."""
