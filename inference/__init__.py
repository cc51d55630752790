"""Trained models at work: images of any size, videos, a page in the browser, files for other programs.

``load`` gives a ``Translator``, which translates what it is given and returns the same kind:

    from inference import load

    translator = load("checkpoints/horse2zebra")
    zebra = translator(Image.open("horse.jpg"))
"""

from inference.load import load
from inference.translator import Translator

__all__ = ["Translator", "load"]
