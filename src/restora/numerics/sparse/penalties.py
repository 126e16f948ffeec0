"""Penalties on coefficients, Σ_i w_i|α_i|^p for p = 0, 1, 2: their value and their proximal map."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from restora.numerics.prox import Weight, hard_threshold, shrink_quadratic, soft_threshold


@runtime_checkable
class Penalty(Protocol):
    """g, a function of a batch of coefficients of any shape, batch axis first."""

    def prox(self, v: Float[Tensor, "b ..."], tau: float) -> Float[Tensor, "b ..."]:
        """argmin_u ½‖u − v‖² + τ g(u)."""
        ...

    def value(self, x: Float[Tensor, "b ..."]) -> Float[Tensor, " b"]:
        """g of each item of the batch."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class PowerPenalty:
    """g(α) = Σ_i w_i |α_i|^p, |α|⁰ being 1 where α ≠ 0; the weights broadcast with the coefficients."""

    p: Literal[0, 1, 2]
    weights: Weight

    def prox(self, v: Tensor, tau: float) -> Tensor:
        threshold = tau * self.weights
        if self.p == 0:
            return hard_threshold(v, threshold)
        return soft_threshold(v, threshold) if self.p == 1 else shrink_quadratic(v, threshold)

    def value(self, x: Tensor) -> Tensor:
        powers = (x != 0).to(x.dtype) if self.p == 0 else x.abs() if self.p == 1 else x.square()
        return (self.weights * powers).flatten(1).sum(1, dtype=torch.float64)


@dataclass(frozen=True, slots=True)
class AtMost:
    """g(α) = 0 where at most K of the coefficients (b, n) of an item differ from 0, ∞ elsewhere."""

    count: int

    def prox(self, v: Tensor, tau: float) -> Tensor:
        """The K largest are kept."""
        kept = v.abs().topk(min(self.count, v.shape[1]), dim=1).indices
        return torch.zeros_like(v).scatter(1, kept, v.gather(1, kept))

    def value(self, x: Tensor) -> Tensor:
        return torch.where((x != 0).sum(1) <= self.count, 0.0, torch.inf).double()
