import math

import pytest
import torch
from torch import nn

from restora.core.errors import InvalidParameter
from restora.learning.averaging import MovingAverage
from restora.learning.optimisers import clip_values, optimiser_for, set_rate
from restora.learning.recipe import Optimiser, Schedule
from restora.learning.schedules import rate_factor


def test_schedules_at_hand_computed_places():
    steps = Schedule("steps", at=(0.5, 0.75), factor=0.1)
    assert [rate_factor(steps, done) for done in (0, 0.49, 0.5, 0.9)] == pytest.approx([1, 1, 0.1, 0.01])
    cosine = Schedule("cosine", factor=0.1)
    expected = [1, 0.55, 0.1, 0.1 + 0.9 * (1 + math.cos(math.pi / 4)) / 2]
    assert [rate_factor(cosine, done) for done in (0, 0.5, 1, 0.25)] == pytest.approx(expected)
    assert rate_factor(Schedule("exponential", factor=1e-3), 2 / 3) == pytest.approx(1e-2)
    assert rate_factor(Schedule(warm_up=0.1), 0.05) == pytest.approx(0.5)
    assert rate_factor(Schedule(warm_up=0.1), 0.7) == 1


def one_weight(value=1.0):
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, value)
    return net


@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw"])
def test_two_steps_by_hand(kind):
    net, rate, decay = one_weight(), 0.1, 0.01
    optimiser = optimiser_for(net, Optimiser(kind, rate, momentum=0.9, betas=(0.9, 0.99), weight_decay=decay))
    w, m, s = 1.0, 0.0, 0.0
    for t, g in ((1, 2.0), (2, -1.0)):
        net.weight.grad = torch.full((1, 1), g)
        optimiser.step()
        if kind == "sgd":
            m = 0.9 * m + g + decay * w
            w -= rate * m
            continue
        if kind == "adamw":
            w -= rate * decay * w
        else:
            g = g + decay * w  # noqa: PLW2901
        m, s = 0.9 * m + 0.1 * g, 0.99 * s + 0.01 * g * g
        w -= rate * (m / (1 - 0.9**t)) / (math.sqrt(s / (1 - 0.99**t)) + 1e-8)
    assert float(net.weight.detach()) == pytest.approx(w, rel=1e-6)


def test_a_part_learns_slower():
    net = nn.Sequential(one_weight(), one_weight())
    optimiser = optimiser_for(net, Optimiser("sgd", 1.0, momentum=0.0, slower={"1": 0.1}))
    set_rate(optimiser, 0.5)
    for layer in net:
        layer.weight.grad = torch.ones(1, 1)
    optimiser.step()
    assert [float(layer.weight.detach()) for layer in net] == pytest.approx([0.5, 0.95])
    with pytest.raises(InvalidParameter, match="'2'"):
        optimiser_for(net, Optimiser(slower={"2": 0.1}))


def test_values_are_clipped():
    net = one_weight()
    net.weight.grad = torch.full((1, 1), -7.0)
    clip_values(net, 2.0)
    assert float(net.weight.grad) == -2.0


def test_the_average_forgets_its_start_and_copies_buffers():
    net = nn.Sequential(one_weight(0.0), nn.BatchNorm1d(1))
    average = MovingAverage(net, 0.999)
    w = 0.0
    for step in range(3):
        nn.init.constant_(net[0].weight, step + 1.0)
        net[1].running_mean.fill_(step)
        average.update(net, step)
        d = (1 + step) / (10 + step)
        w = d * w + (1 - d) * (step + 1)
    assert float(average.state["0.weight"]) == pytest.approx(w, rel=1e-6)
    assert float(average.state["1.running_mean"]) == 2.0
    assert float(MovingAverage(net, 0.0).state["0.weight"]) == 3.0
