"""From an observation to a rationale and the context of the plan."""
