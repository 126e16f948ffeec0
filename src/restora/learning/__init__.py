"""The training engine: recipes, data, losses, schedules, checkpoints."""
