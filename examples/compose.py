"""Build a measurement out of parts, restore it with two methods, and see which parameters matter.

    python examples/compose.py

A photograph is blurred, a third of its pixels is lost, and noise is added: y = Hx + n with H = mask ∘ blur. Total
variation takes any H; its weight λ is the knob worth turning.
"""

import numpy as np
import torch
from skimage import data

import restora
from restora.evaluation.metrics import psnr
from restora.operators.psf import disk_psf

x = torch.from_numpy(data.camera().astype(np.float32) / 255)[None, None, 100:356, 100:356]
known = restora.Mask.random((256, 256), keep=2 / 3, generator=torch.Generator().manual_seed(0))
H = known @ restora.Blur(disk_psf(2.0), "reflect")
problem = restora.Problem.simulate(x, H, restora.Gaussian(2 / 255), seed=0)

result = restora.restore(problem)
print(f"measured {float(psnr(problem.y, x)):.2f} dB, restored {float(psnr(result.x, x)):.2f} dB")
print(result.status.sentence)

for lam in (1e-4, 3e-4, 1e-3, 3e-3):
    restored = restora.restore(problem, "tv", parameters={"lam": lam}).x
    print(f"λ = {lam:g}: {float(psnr(restored, x)):.2f} dB")
