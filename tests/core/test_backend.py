import pytest
import torch

from restora.core.backend import is_out_of_memory, runs_on_cpu_kernels, single_at_least


def test_kernels_run_on_tensors_of_the_cpu_in_single_or_double_precision_that_need_no_gradient():
    x = torch.zeros(2, 3)
    assert runs_on_cpu_kernels(x)
    assert runs_on_cpu_kernels(x, x.double(), None)
    assert not runs_on_cpu_kernels(x, x.clone().requires_grad_())
    assert not runs_on_cpu_kernels(x.clone().requires_grad_() * 2)
    for dtype in (torch.float16, torch.bfloat16, torch.int32):
        assert not runs_on_cpu_kernels(x.to(dtype))
        assert single_at_least(x.to(dtype)).dtype == torch.float32
    assert not runs_on_cpu_kernels(x.to("meta"))
    assert single_at_least(x) is x
    assert single_at_least(x.double()).dtype == torch.float64


def test_the_allocator_of_the_cpu_is_understood():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)  # an exabyte
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:83] DefaultCPUAllocator: not enough memory: you tried"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"), False),
        (ValueError("not enough memory"), False),
    ],
)
def test_other_errors_are_told_from_those_of_memory(error, expected):
    assert is_out_of_memory(error) is expected
