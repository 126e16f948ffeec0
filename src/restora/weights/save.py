"""Save: a trained network as a file of weights and the record beside it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from restora.core.errors import FileProblem
from restora.images.atomic import write_atomically
from restora.weights.record import Record
from restora.weights.store import sha256_of


def save_weights(state: Mapping[str, Tensor], record: Record, folder: Path) -> Record:
    """Write NAME.safetensors, with the record in its header, and NAME.toml beside it.

    Tensors are written as they are, so give them in the precision the file shall have. What is there of that name is
    replaced, each file whole or not at all.

    Args:
        state: of the network, by the names of our modules.
        record: its size and sum are filled in here.
        folder: where to; it is made if it is not there.

    Returns:
        The record with size and sum.

    Raises:
        FileProblem: a file cannot be written.
        InvalidParameter: the record has fields that TOML has no word for.
    """
    tensors = {name: tensor.detach().to("cpu", memory_format=torch.contiguous_format) for name, tensor in state.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem(f"the folder {folder} cannot be made: {(error.strerror or str(error)).lower()}") from error
    path = folder / f"{record.name}.safetensors"
    data = save(tensors, metadata={"restora": record.as_header()})
    complete = replace(record, bytes=len(data))
    complete.as_toml()  # what cannot be written is refused before anything is
    write_atomically(path, data, overwrite=True)
    complete = replace(complete, sha256=sha256_of(path))
    complete.write(path.with_suffix(".toml"))
    return complete
