"""How fast the tool is, as ratios to what the same machine needs for something comparable."""
