"""A learner of two networks: a generator and the discriminator that judges it."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from restora.learning.learners import State, Supervised, estimate
from restora.learning.losses import discriminator_loss, feature_distance, generator_loss
from restora.learning.optimisers import set_rate
from restora.learning.pairs import Batch
from restora.learning.recipe import Adversarial, Recipe
from restora.learning.schedules import rate_factor
from restora.nets.discriminator import Discriminator
from restora.nets.network import Network


class Contest(Supervised):
    """A generator against a discriminator, one update each a step (Goodfellow et al. 2014; Ledig et al. 2017).

    Args:
        recipe: of the training, its ``adversarial`` part present.
        network: the generator.
        fabric: devices and precision.
        features: φ of the perceptual loss with its weight, such as VGG-19; None for that of the discriminator.
    """

    def __init__(
        self,
        recipe: Recipe,
        network: Network,
        fabric: Fabric,
        features: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__(recipe, network, fabric)
        assert recipe.adversarial is not None
        self.terms: Adversarial = recipe.adversarial
        fields: Mapping[str, Any] = self.terms.fields
        discriminator = Discriminator(**fields).to(fabric.device)
        optimiser = torch.optim.Adam(discriminator.parameters(), self.terms.rate)
        self.judge, self.judge_optimiser = fabric.setup(discriminator, optimiser)
        self.discriminator, self.features = discriminator, features

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        set_rate(self.optimiser, self.rate(step))
        self.optimiser.zero_grad()
        fake = estimate(self.wrapped, batch).float()
        terms = self._generator_terms(fake, batch.x)
        self.fabric.backward(torch.stack(list(terms.values())).sum())
        self._clip(step)
        self.optimiser.step()
        self.average.update(self.network, step)
        judged = self._judge(fake.detach(), batch.x, step)
        return {**{name: float(term.detach()) for name, term in terms.items()}, "discriminator": judged}

    def state(self) -> State:
        return {
            **super().state(),
            "discriminator": self.discriminator.state_dict(),
            "judge_optimiser": self.judge_optimiser.state_dict(),
        }

    def load(self, state: State) -> None:
        super().load(state)
        self.discriminator.load_state_dict(state["discriminator"])
        self.judge_optimiser.load_state_dict(state["judge_optimiser"])

    def _generator_terms(self, fake: Tensor, real: Tensor) -> dict[str, Tensor]:
        """The losses of the generator, weighted; gradients that reach the discriminator are thrown away later."""
        terms = {"loss": self.loss(fake, real)}
        with torch.no_grad():
            scores = self.judge(real)
        terms["adversarial"] = self.terms.weight * generator_loss(self.terms.kind, scores, self.judge(fake))
        if self.terms.feature_weight:
            features = self.features or self.discriminator.features
            terms["features"] = self.terms.feature_weight * feature_distance(fake, real, features)
        return terms

    def _judge(self, fake: Tensor, real: Tensor, step: int) -> float:
        """One update of the discriminator."""
        rate = self.terms.rate * rate_factor(self.recipe.schedule, step / self.recipe.training.steps)
        for group in self.judge_optimiser.param_groups:
            group["lr"] = rate
        self.judge_optimiser.zero_grad()
        loss = discriminator_loss(self.terms.kind, self.judge(real), self.judge(fake))
        self.fabric.backward(loss)
        self.judge_optimiser.step()
        return float(loss.detach())
