"""A learner of networks that give their features beside the image: IPT's pre-training on several tasks."""

from lightning_fabric import Fabric
from torch import Tensor

from restora.learning.learners import Supervised, choose_task
from restora.learning.losses import contrastive
from restora.learning.pairs import Batch
from restora.learning.recipe import Recipe
from restora.nets.ipt import IPT


class Contrast(Supervised):
    """Pixel losses, and λ times the contrastive loss on the features of patches (Chen et al. 2021).

    Args:
        recipe: of the training, its ``contrastive`` part above 0.
        network: an IPT; each batch is of one task.
        fabric: devices and precision.
    """

    def __init__(self, recipe: Recipe, network: IPT, fabric: Fabric) -> None:
        super().__init__(recipe, network, fabric)
        self.wrapped.mark_forward_method("restored")

    def objective(self, batch: Batch) -> Tensor:
        choose_task(self.wrapped, batch.task)
        estimate, features = self.wrapped.restored(batch.y)
        return self.loss(estimate.float(), batch.x) + self.recipe.contrastive * contrastive(features)
