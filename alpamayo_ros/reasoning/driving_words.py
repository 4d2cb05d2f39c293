"""The words of the driving language, sorted; a new one moves the ids of those behind it, so weights name their own."""

# fmt: off
WORDS = (
    ",", ".", "a", "about", "above", "accelerate", "again", "ahead", "almost", "am", "amber", "an", "and",
    "are", "away", "before", "behind", "bend", "bends", "beside", "block", "blocks", "brake", "braking", "but",
    "clear", "cones", "construction", "cross", "crosses", "crossing", "curve", "cutting", "distance", "down",
    "driving", "ending", "ends", "far", "follow", "free", "has", "here", "hold", "i", "in", "into", "is", "it",
    "keep", "lane", "left", "light", "lights", "limit", "lower", "me", "merge", "move", "moves", "my", "of",
    "on", "oncoming", "over", "pass", "passing", "path", "pedestrian", "priority", "pulling", "red", "reduce",
    "right", "road", "site", "slow", "slower", "so", "speed", "stand", "standing", "stay", "still", "stopped",
    "that", "the", "there", "this", "tight", "to", "turn", "turns", "up", "vehicle", "wait", "wants", "where",
)
# fmt: on
"""Every word and punctuation mark that a reasoning text is made of."""
