"""Which class was taken for which, pixel by pixel, and the mean intersection over union."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard


class Confusion:
    """
    Pixels counted by true and by found class, over any number of images.

    :param card: the classes that are scored. Pixels whose truth has no class are left out; those
        that were given none count as missed.
    """

    def __init__(self, card: ModelCard) -> None:
        self._ids = [item.id for item in card.classes]
        self._none = len(self._ids)
        self._number = np.full(card.unlabelled + 1, self._none, np.int32)
        self._number[self._ids] = np.arange(self._none)
        self.pixels = np.zeros((self._none + 1, self._none + 1), np.int64)

    def add(self, truth: NDArray[Any], found: NDArray[Any]) -> None:
        """
        Count one image.

        :param truth: class ids (H, W), as `found`.
        """
        pairs = self._number.take(truth) * np.int32(self._none + 1) + self._number.take(found)
        counts = np.bincount(pairs.ravel(), minlength=self.pixels.size)
        self.pixels += counts.reshape(self.pixels.shape)

    def per_class(self) -> dict[int, float]:
        """Return the intersection over union by id of the classes that occur."""
        judged = self.pixels[:-1]
        both = np.diag(judged)
        union = judged.sum(axis=1) + judged.sum(axis=0)[:-1] - both
        return {
            class_id: float(both[number] / union[number])
            for number, class_id in enumerate(self._ids) if union[number]
        }

    def figures(self) -> dict[str, float | None]:
        """Return `miou` over the classes that occur, and the share of right pixels, `accuracy`."""
        values = list(self.per_class().values())
        judged = self.pixels[:-1]
        total = int(judged.sum())
        return {
            'miou': sum(values) / len(values) if values else None,
            'accuracy': float(np.diag(judged).sum() / total) if total else None,
        }
