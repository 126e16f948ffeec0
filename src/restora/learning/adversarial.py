"""A learner of two networks: a generator, and a discriminator that tells its images from real ones."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from restora.learning.learners import State, Supervised, estimate
from restora.learning.losses import discriminator_loss, feature_distance, generator_loss
from restora.learning.optimisers import set_rate
from restora.learning.pairs import Batch
from restora.learning.recipe import Recipe
from restora.learning.schedules import rate_factor
from restora.nets.discriminator import Discriminator
from restora.nets.network import Network


class Adversarial(Supervised):
    """A generator and a discriminator, one update of each a step (Goodfellow et al. 2014; Ledig et al. 2017).

    Args:
        recipe: of the training, its ``adversarial`` part present.
        network: the generator.
        fabric: devices and precision.
        features: φ of the perceptual loss with its weight, such as VGG-19; None for that of the discriminator.
    """

    def __init__(
        self, recipe: Recipe, network: Network, fabric: Fabric, features: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        super().__init__(recipe, network, fabric)
        assert recipe.adversarial is not None
        self.game = recipe.adversarial
        fields: Mapping[str, Any] = self.game.fields
        discriminator = Discriminator(**fields).to(fabric.device)
        optimiser = torch.optim.Adam([{"params": list(discriminator.parameters()), "factor": 1.0}], self.game.rate)
        self.scores, self.discriminator_optimiser = fabric.setup(discriminator, optimiser)
        self.discriminator, self.features = discriminator, features

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        losses = super().update(batch, step)
        return {**losses, "discriminator": self._update_discriminator(batch.x, step)}

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        """The weighted terms of the generator's loss; gradients that reach the discriminator are discarded later."""
        real, fake = batch.x, estimate(self.wrapped, batch).float()
        self.fake = fake.detach()
        terms = {"loss": self.loss(fake, real)}
        with torch.no_grad():
            scores = self.scores(real)
        terms["adversarial"] = self.game.weight * generator_loss(self.game.kind, scores, self.scores(fake))
        if self.game.feature_weight:
            features = self.features or self.discriminator.features
            terms["features"] = self.game.feature_weight * feature_distance(fake, real, features)
        return terms

    def state(self) -> State:
        own = {
            "discriminator": self.discriminator.state_dict(),
            "discriminator_optimiser": self.discriminator_optimiser.state_dict(),
        }
        return {**super().state(), **own}

    def load(self, state: State) -> None:
        super().load(state)
        self.discriminator.load_state_dict(state["discriminator"])
        self.discriminator_optimiser.load_state_dict(state["discriminator_optimiser"])

    def _update_discriminator(self, real: Tensor, step: int) -> float:
        set_rate(
            self.discriminator_optimiser,
            self.game.rate * rate_factor(self.recipe.schedule, step / self.recipe.training.steps),
        )
        self.discriminator_optimiser.zero_grad()
        loss = discriminator_loss(self.game.kind, self.scores(real), self.scores(self.fake))
        self.fabric.backward(loss)
        self.discriminator_optimiser.step()
        return float(loss.detach())
