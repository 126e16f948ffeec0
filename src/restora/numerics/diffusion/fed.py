"""Fast explicit diffusion: time steps that, in a cycle, are stable although most of them alone are not.

Grewenig, Weickert and Bruhn, "From box filtering to fast explicit diffusion", DAGM 2010, LNCS 6376,
doi:10.1007/978-3-642-15986-2_54.
"""

import math


def fed_steps(time: float, limit: float = 0.25) -> tuple[float, ...]:
    """Explicit steps τ_0 … τ_{n−1} of sum ``time`` whose product ∏(I + τ_i A) is stable for a fixed A.

    ``limit`` is the largest stable explicit step τ_max. A time up to it is one explicit step. Else

        τ_i = q·τ_max/(2 cos²(π(2i + 1)/(4n + 2))),    Σ τ_i = q·τ_max(n² + n)/3,

    with the least n for which q <= 1: the time grows with the square of the number of steps. They come in Leja order,
    large steps between small ones, so that rounding errors do not grow within the cycle either.
    """
    if time <= limit:
        return (time,) if time > 0 else ()
    n = math.ceil(math.sqrt(0.25 + 3 * time / limit) - 0.5 - 1e-9)
    shrink = 3 * time / (limit * (n * n + n))
    cosines = (math.cos(math.pi * (2 * i + 1) / (4 * n + 2)) for i in range(n))
    return _leja([shrink * limit / (2 * cosine**2) for cosine in cosines])


def _leja(steps: list[float]) -> tuple[float, ...]:
    """Each next 1/τ is the one whose product of distances to those before is largest; the first is the largest."""
    rest = sorted((1 / step for step in steps), reverse=True)
    chosen = [rest.pop(0)]
    spread = [math.log(chosen[0] - z) for z in rest]
    while rest:
        k = max(range(len(rest)), key=spread.__getitem__)
        z = rest.pop(k)
        spread.pop(k)
        chosen.append(z)
        spread = [s + math.log(abs(z - other)) for s, other in zip(spread, rest)]
    return tuple(1 / z for z in chosen)
