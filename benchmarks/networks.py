"""Networks beside the bare convolutions they are made of, and beside plain PyTorch: what share of the machine they use.

    python -m benchmarks.networks [--only NAME] [--small 512] [--large 1024] [--out results/speed-networks.csv]

Three things are run in turns, at 1 and 2 threads, in float32 and, where the processor has it, in bfloat16, and the
medians compared:

- ours: ``run_network`` as the methods call it, weights and features channels last; the weights are drawn, as speed does
  not depend on them;
- *bare convolutions*: the same convolutions one after the other, channels last, without activations, additions and all
  else. ``ratio`` is the share of its speed that ours reaches; the bar is 0.85. In float32 ours is above 1: Winograd's
  convolutions do a quarter of the multiplications;
- *plain PyTorch float32*: the architecture written down as layers, contiguous, without autograd, which is how deepinv
  runs its DnCNN, DRUNet and FFDNet. (It is not deepinv itself, as that cannot be installed without torchvision.)

The process keeps freed memory, as the command line does; the peers gain by that too.

Two more bars, at 2 threads in the precision that ``auto`` takes: gray FFDNet on ``--large`` squared in 1.5 s, the small
DRUNet in 8 s.
"""

import argparse
import csv
import datetime
import os
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from functools import partial
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import torch
from benchmarks.contest import seconds, threads
from torch import Tensor, nn
from torch.nn import functional

from restora.evaluation.complexity import complexity
from restora.front.memory import keep_freed_memory
from restora.nets.architectures import build
from restora.nets.precision import dtype_for, has_fast_bfloat16
from restora.nets.winograd import use_winograd
from restora.weights.load import Trained
from restora.weights.run import run_network

SHARE = 0.85
SIGMA = 25 / 255
BARE, PLAIN = "bare convolutions", "plain PyTorch float32"
SMALL_DRUNET = (32, 64, 128, 256)
"""Widths of the DRUNet that ships, of :data:`BLOCKS` residual blocks a scale."""
BLOCKS = 2


@dataclass(frozen=True)
class Convolution:
    """A convolution: channels in and out, side of the kernel, and by what the image shrinks (or grows: transposed)."""

    entering: int
    leaving: int
    side: int = 3
    stride: int = 1
    transposed: bool = False


@dataclass(frozen=True)
class Work:
    """A network on a gray image.

    Attributes:
        name: what is done.
        method: our name in the catalog.
        fields: of the architecture of that name.
        side: of the image.
        shrunk: how many times smaller the side is at the first convolution.
        convolutions: in order.
        plain: makes the peer.
        most_seconds: at 2 threads, None where there is no bar.
    """

    name: str
    method: str
    fields: Mapping[str, object]
    side: int
    shrunk: int
    convolutions: tuple[Convolution, ...]
    plain: Callable[[], nn.Module]
    most_seconds: float | None = None


@dataclass(frozen=True)
class Row:
    """A line of the results; ``ratio`` is peer_seconds/ours_seconds, GFLOP are two a multiply-add of ours."""

    benchmark: str
    method: str
    peer: str
    size: str
    threads: int
    ours_seconds: float
    peer_seconds: float
    ratio: float
    ours_gflops: float
    peer_gflops: float
    version: str
    date: str


def chain_of(entering: int, leaving: int, width: int, depth: int) -> tuple[Convolution, ...]:
    middle = [Convolution(width, width)] * (depth - 2)
    return Convolution(entering, width), *middle, Convolution(width, leaving)


def unet_of(widths: tuple[int, ...], blocks: int = BLOCKS) -> tuple[Convolution, ...]:
    """The convolutions of DRUNet, for a gray image and its noise map."""
    found = [Convolution(2, widths[0])]
    for fine, coarse in pairwise(widths):
        found += [Convolution(fine, fine)] * 2 * blocks + [Convolution(fine, coarse, 2, 2)]
    found += [Convolution(widths[-1], widths[-1])] * 2 * blocks
    for coarse, fine in zip(widths[:0:-1], widths[-2::-1]):
        found += [Convolution(coarse, fine, 2, 2, transposed=True)] + [Convolution(fine, fine)] * 2 * blocks
    return *found, Convolution(widths[0], 1)


def works(small: int, large: int) -> Iterator[Work]:
    """Everything that is measured."""
    yield Work("DnCNN-S, 17 layers", "dncnn", {}, small, 1, chain_of(1, 1, 64, 17), PlainDnCNN)
    drunet = partial(Work, "small DRUNet", "drunet", {"widths": SMALL_DRUNET, "blocks": BLOCKS})
    for side, ffdnet_bar, drunet_bar in ((small, None, None), (large, 1.5, 8.0)):
        yield Work("FFDNet, gray", "ffdnet", {}, side, 2, chain_of(5, 4, 64, 15), PlainFFDNet, ffdnet_bar)
        yield drunet(side, 1, unet_of(SMALL_DRUNET), partial(PlainDRUNet, SMALL_DRUNET), drunet_bar)


class PlainDnCNN(nn.Module):
    """17 convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = _layers(chain_of(1, 1, 64, 17))

    def forward(self, x: Tensor) -> Tensor:
        return x - self.layers(x)


class PlainFFDNet(nn.Module):
    """15 convolutions on the half grid."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = _layers(chain_of(5, 4, 64, 15))

    def forward(self, x: Tensor) -> Tensor:
        half = functional.pixel_unshuffle(x, 2)
        level = half.new_full((len(x), 1, *half.shape[-2:]), SIGMA)
        return functional.pixel_shuffle(self.layers(torch.cat((half, level), dim=1)), 2)


class PlainDRUNet(nn.Module):
    """The U-Net; sides are multiples of 8."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.head = nn.Conv2d(2, widths[0], 3, padding=1, bias=False)
        self.down = nn.ModuleList(
            nn.Sequential(*_blocks(fine), nn.Conv2d(fine, coarse, 2, stride=2, bias=False))
            for fine, coarse in pairwise(widths)
        )
        self.body = nn.Sequential(*_blocks(widths[-1]))
        self.up = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(coarse, fine, 2, stride=2, bias=False), *_blocks(fine))
            for coarse, fine in zip(widths[:0:-1], widths[-2::-1])
        )
        self.tail = nn.Conv2d(widths[0], 1, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        levels = [self.head(torch.cat((x, torch.full_like(x, SIGMA)), dim=1))]
        for step in self.down:
            levels.append(step(levels[-1]))
        features = self.body(levels[-1])
        for step in self.up:
            features = step(features + levels.pop())
        return self.tail(features + levels.pop())


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        convolutions = [nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(2)]
        self.layers = nn.Sequential(convolutions[0], nn.ReLU(inplace=True), convolutions[1])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def _blocks(width: int) -> Iterator[nn.Module]:
    return (_Block(width) for _ in range(BLOCKS))


def _layers(convolutions: tuple[Convolution, ...]) -> nn.Sequential:
    found: list[nn.Module] = []
    for one in convolutions:
        found += [nn.Conv2d(one.entering, one.leaving, 3, padding=1), nn.ReLU(inplace=True)]
    return nn.Sequential(*found[:-1])


def bare(work: Work, dtype: torch.dtype) -> Callable[[], object]:
    """The convolutions one after the other."""
    y = torch.rand(1, work.convolutions[0].entering, *[work.side // work.shrunk] * 2)
    y = y.to(dtype, memory_format=torch.channels_last)
    kernels = [
        (torch.randn((b, a, one.side, one.side)) / (a * one.side**2) ** 0.5).to(
            dtype, memory_format=torch.channels_last
        )
        for one in work.convolutions
        for a, b in [(one.leaving, one.entering) if one.transposed else (one.entering, one.leaving)]
    ]

    def run() -> object:
        x = y
        with torch.no_grad():
            for one, kernel in zip(work.convolutions, kernels):
                if one.transposed:
                    x = functional.conv_transpose2d(x, kernel, stride=one.stride)
                else:
                    x = functional.conv2d(x, kernel, stride=one.stride, padding=one.side // 2 if one.stride == 1 else 0)
        return x

    return run


def trained(work: Work, dtype: torch.dtype) -> Trained:
    """Our network with weights that were drawn, prepared as those of a file are."""
    network = build(work.method, work.fields).eval().requires_grad_(False).to(dtype)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch declares it only beside others
    use_winograd(network)
    return Trained(
        network=network,
        name=work.name,
        architecture=work.method,
        fields=work.fields,
        channels=1,
        record=None,
        layout="restora",
    )


def plain(work: Work, y: Tensor) -> Callable[[], object]:
    network = work.plain().eval().requires_grad_(False)

    def run() -> object:
        with torch.no_grad():
            return network(y)

    return run


def medians(rivals: Mapping[str, Callable[[], object]], most_repeats: int, budget: float) -> dict[str, float]:
    """Median times, all run in turns: ``most_repeats`` times, fewer (at least once) if that exceeds the budget."""
    for rival in rivals.values():
        rival()
    times: dict[str, list[float]] = {name: [] for name in rivals}
    spent, rounds = 0.0, 0
    while rounds < most_repeats and (rounds == 0 or spent < budget):
        for name, rival in rivals.items():
            times[name].append(seconds(rival))
            spent += times[name][-1]
        rounds += 1
    return {name: statistics.median(found) for name, found in times.items()}


def measure(work: Work, count: int, most_repeats: int, budget: float) -> list[Row]:
    """The rows of a work at a number of threads."""
    y = torch.rand(1, 1, work.side, work.side)
    rivals: dict[str, Callable[[], object]] = {PLAIN: plain(work, y)}
    dtypes = {"float32": torch.float32}
    if has_fast_bfloat16(y.device):
        dtypes["bfloat16"] = torch.bfloat16
    for precision, dtype in dtypes.items():
        rivals[precision] = partial(run_network, trained(work, dtype), y, SIGMA)
        rivals[f"{BARE} {precision}"] = bare(work, dtype)
    with threads(count):
        times = medians(rivals, most_repeats, budget)
    gflop = 2e-9 * complexity(build(work.method, work.fields), (1, work.side, work.side)).macs

    def row(precision: str, peer: str) -> Row:
        ours, theirs = times[precision], times[peer]
        return Row(
            f"{work.name}, {precision}",
            work.method,
            peer,
            f"{work.side}x{work.side}",
            count,
            round(ours, 5),
            round(theirs, 5),
            round(theirs / ours, 2),
            round(gflop / ours, 1),
            round(gflop / theirs, 1),
            version("restora"),
            datetime.date.today().isoformat(),
        )

    return [row(precision, peer) for precision in dtypes for peer in (f"{BARE} {precision}", PLAIN)]


def bars(work: Work, rows: list[Row]) -> Iterator[str]:
    """What the rows say of the bars."""
    automatic = str(dtype_for(build(work.method, work.fields), "auto", torch.device("cpu"), 25 / 255)).removeprefix(
        "torch."
    )
    for row in rows:
        if row.peer.startswith(BARE):
            word = "met" if row.ratio >= SHARE else "missed"
            yield f"share of the bare convolutions {row.ratio:.2f}, bar {SHARE}: {word} ({row.benchmark})"
            if work.most_seconds is not None and row.threads == 2 and row.benchmark.endswith(automatic):
                word = "met" if row.ours_seconds <= work.most_seconds else "missed"
                yield f"{row.ours_seconds:.2f} s, bar {work.most_seconds} s: {word} ({row.benchmark})"


def hold(chosen: Iterator[Work], most_repeats: int, budget: float, out: Path) -> None:
    """Measure all; print as they end, and keep the CSV up to date."""
    found: list[Row] = []
    for work in chosen:
        for count in (1, 2):
            rows = measure(work, count, most_repeats, budget)
            found += rows
            for row in rows:
                print(
                    f"{row.benchmark:<38}{row.peer:<28}{row.size:<12}{row.threads}  {row.ours_seconds * 1e3:10.2f} ms"
                    f"{row.peer_seconds * 1e3:11.2f} ms   x{row.ratio:<6.2f}"
                    f"{row.ours_gflops:8.1f} / {row.peer_gflops:.1f} GFLOP/s",
                    flush=True,
                )
            for sentence in bars(work, rows):
                print(f"    {sentence}", flush=True)
            _write(found, out)
    if hasattr(os, "getloadavg"):
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def _write(rows: list[Row], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(field.name for field in fields(Row))
        writer.writerows(astuple(row) for row in rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="NAME")
    parser.add_argument("--small", type=int, default=512, metavar="SIDE")
    parser.add_argument("--large", type=int, default=1024, metavar="SIDE")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--budget", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument("--out", type=Path, default=Path("results/speed-networks.csv"))
    arguments = parser.parse_args()
    keep_freed_memory()
    picked = (work for work in works(arguments.small, arguments.large) if arguments.only in work.method)
    hold(picked, arguments.repeats, arguments.budget, arguments.out)
