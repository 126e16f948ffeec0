"""Learning rates as functions of the part of the training that is done: nothing to save, nothing to resume."""

import math

from restora.learning.recipe import Schedule


def rate_factor(schedule: Schedule, done: float) -> float:
    """The factor on the learning rate when the part ``done`` of all steps, in [0, 1], is done."""
    warm = min(done / schedule.warm_up, 1.0) if schedule.warm_up > 0 else 1.0
    if schedule.kind == "steps":
        return warm * schedule.factor ** sum(done >= at for at in schedule.at)
    if schedule.kind == "cosine":
        return warm * (schedule.factor + (1 - schedule.factor) * (1 + math.cos(math.pi * done)) / 2)
    if schedule.kind == "exponential":
        return warm * schedule.factor**done
    return warm
