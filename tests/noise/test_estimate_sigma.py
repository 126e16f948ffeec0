import numpy as np
import pytest
import torch
from PIL import Image

from restora.noise.camera import CameraNoise
from restora.noise.estimate_sigma import _floor, _gradient_energy_operator, estimate_noise
from restora.noise.gaussian import Gaussian
