"""Optimisers: SGD, momentum, Adam and AdamW, with a learning rate that the loop sets at each step."""

import torch
from torch import nn

from restora.core.errors import InvalidParameter
from restora.learning.recipe import Optimiser


def optimiser_for(network: nn.Module, recipe: Optimiser) -> torch.optim.Optimizer:
    """The optimiser over all weights; each group remembers its ``factor`` on the learning rate.

    Raises:
        InvalidParameter: a part named in ``slower`` is not in the network, or the betas are not two.
    """
    groups = _groups(network, recipe)
    if recipe.kind == "sgd":
        return torch.optim.SGD(groups, recipe.rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay)
    if len(recipe.betas) != 2:
        raise InvalidParameter.outside("betas", recipe.betas, "two numbers")
    kind = torch.optim.Adam if recipe.kind == "adam" else torch.optim.AdamW
    return kind(groups, recipe.rate, betas=(recipe.betas[0], recipe.betas[1]), weight_decay=recipe.weight_decay)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give each group its learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["factor"]


def clip_values(network: nn.Module, limit: float) -> None:
    """Clip each number of the gradient to [−limit, limit]."""
    nn.utils.clip_grad_value_([p for p in network.parameters() if p.grad is not None], limit)


def _groups(network: nn.Module, recipe: Optimiser) -> list[dict[str, object]]:
    named = dict(network.named_parameters())
    groups: list[dict[str, object]] = []
    for part, factor in recipe.slower.items():
        names = [name for name in named if name == part or name.startswith(part + ".")]
        if not names:
            raise InvalidParameter(f"the network has no part {part!r} that could learn slower")
        groups.append({"params": [named.pop(name) for name in names], "factor": factor})
    return [{"params": list(named.values()), "factor": 1.0}, *groups]
