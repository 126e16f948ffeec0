"""Learners: one update of the weights; and what must be saved to go on."""

from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from restora.learning.averaging import MovingAverage
from restora.learning.losses import contrastive, pixel_loss
from restora.learning.optimisers import clip_values, optimiser_for, set_rate
from restora.learning.pairs import Batch
from restora.learning.recipe import Recipe
from restora.learning.schedules import rate_factor
from restora.nets.ipt import IPT
from restora.nets.network import Network

State = dict[str, Any]
"""Nested dictionaries of tensors and numbers, as ``torch.save`` takes them."""


def estimate(network: nn.Module, batch: Batch) -> Tensor:
    """What the network makes of y, in its task where it has several."""
    choose_task(network, batch.task)
    return network(batch.y) if batch.sigma is None or not takes_noise_map(network) else network(batch.y, batch.sigma)


def choose_task(network: nn.Module, task: str) -> None:
    """Set the task of a network of several, or of the one it wraps."""
    inner = getattr(network, "module", network)
    if task and isinstance(inner, IPT):
        inner.task = task


def takes_noise_map(network: nn.Module) -> bool:
    """Whether the network, or the one it wraps, takes a noise map."""
    inner = getattr(network, "module", network)
    return isinstance(inner, Network) and inner.takes_noise_map


class Supervised:
    """Gradient descent on pixel losses.

    Args:
        recipe: of the training.
        network: on the device of ``fabric``.
        fabric: devices and precision.
    """

    def __init__(self, recipe: Recipe, network: Network, fabric: Fabric) -> None:
        self.recipe, self.network, self.fabric = recipe, network, fabric
        self.average = MovingAverage(network, recipe.training.average)
        self.loss = pixel_loss(recipe.losses)
        self.wrapped, self.optimiser = fabric.setup(network, optimiser_for(network, recipe.optimiser))

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """Change the weights once and return the terms of the loss; ``loss`` is that on pixels."""
        set_rate(self.optimiser, self.rate(step))
        self.optimiser.zero_grad()
        terms = self.terms(batch)
        self.fabric.backward(torch.stack(list(terms.values())).sum())
        training = self.recipe.training
        if training.clip_norm:
            self.fabric.clip_gradients(self.wrapped, self.optimiser, max_norm=training.clip_norm)
        if training.clip_value:
            clip_values(self.network, training.clip_value / max(self.rate(step), 1e-12))
        self.optimiser.step()
        self.average.update(self.network, step)
        return {name: float(term.detach()) for name, term in terms.items()}

    def rate(self, step: int) -> float:
        """The learning rate of that step."""
        return self.recipe.optimiser.rate * rate_factor(self.recipe.schedule, step / self.recipe.training.steps)

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        """The weighted terms of the loss."""
        return {"loss": self.loss(estimate(self.wrapped, batch).float(), batch.x)}

    def state(self) -> State:
        """All that must be saved to go on."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state,
            "optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: State) -> None:
        """Take up what was saved."""
        self.network.load_state_dict(state["network"])
        self.average.load(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])


class Contrastive(Supervised):
    """Pixel losses, and λ times the contrastive loss on the features of patches: IPT's pre-training (Chen et al. 2021).

    Args:
        recipe: of the training, its ``contrastive`` part above 0.
        network: an IPT; each batch is of one task.
        fabric: devices and precision.
    """

    def __init__(self, recipe: Recipe, network: IPT, fabric: Fabric) -> None:
        super().__init__(recipe, network, fabric)
        self.wrapped.mark_forward_method("restored")

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        choose_task(self.wrapped, batch.task)
        x, features = self.wrapped.restored(batch.y)
        return {"loss": self.loss(x.float(), batch.x) + self.recipe.contrastive * contrastive(features)}
