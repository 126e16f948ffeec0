"""The eight EXIF orientations, and pixels turned upright."""

import numpy as np

from restora.images.picture import Samples


def turned_upright(array: Samples, orientation: int) -> Samples:
    """Pixels (h, w, …) stored in ``orientation`` as a viewer shows them; contiguous.

    The orientation tells where row 0 and column 0 of the file belong: 1 top left, 2 top right, 3 bottom right,
    4 bottom left, 5 left top, 6 right top, 7 right bottom, 8 left bottom (EXIF 2.32, tag 0x0112).
    """
    if orientation >= 5:
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


def transposes(orientation: int) -> bool:
    """Whether height and width change places."""
    return orientation >= 5
