"""Recipes of papers by name (``--preset``): data files in ``options/presets`` that set flags which are not typed.

A file has the model, the flags that differ between recipes, what it is about and where its values were taken from. It
is a part of the program, so that reading it counts as no file of the user.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from options.errors import UserError
from options.flag import as_typed
from util.registry import did_you_mean

FOLDER = Path(__file__).resolve().parents[1] / "presets"
LIST = "list"  # the word that asks for the names
KEYS = {"about", "model", "flags", "source"}


class Preset(NamedTuple):
    """A recipe.

    Attributes:
        about: what it learns, one line.
        flags: flag -> value.
        source: where the values were taken from.
    """

    name: str
    about: str
    model: str
    flags: Mapping[str, Any]
    source: str


def preset_names() -> list[str]:
    """Return all names, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read_preset(name: str) -> Preset:
    """Look a recipe up.

    Raises:
        UserError: there is none of that name; the message lists the known ones and the nearest. Or its file, which
            somebody has added, is no recipe.
    """
    names = preset_names()
    if name not in names:
        raise UserError(
            f"unknown preset {name!r}{did_you_mean(name, names)}; known: {', '.join(names)}; --preset {LIST} tells more"
        )
    path = FOLDER / f"{name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is no JSON ({error}); correct the file") from error
    if not isinstance(content, dict) or set(content) != KEYS or not isinstance(content["flags"], dict):
        raise UserError(f"{path} is no recipe: it needs exactly {', '.join(sorted(KEYS))}; correct the file")
    return Preset(name, **content)


def listing() -> str:
    """Return all recipes, a line each."""
    recipes = [read_preset(name) for name in preset_names()]
    wide, model = (
        max(len(word) for word in words) for words in zip(*((r.name, r.model) for r in recipes), strict=True)
    )
    lines = [f"  {r.name:<{wide}}  {r.model:<{model}}  {r.about}" for r in recipes]
    return "\n".join(["recipes of the papers: python train.py --preset NAME --dataroot FOLDER --name RUN", *lines, ""])


def shown(recipe: Preset, values: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """Lay a recipe out in full as it was used.

    Args:
        values: all flags, resolved.
        given: those typed.
    """
    words = {name: (as_typed(values[name]), as_typed(value)) for name, value in recipe.flags.items()}
    flag, value = max(map(len, words)) + 2, max(len(used) for used, _ in words.values())
    lines = [f"--preset {recipe.name}: {recipe.about} ({recipe.source})", f"    {'--model':<{flag}}  {recipe.model}"]
    for name, (used, planned) in words.items():
        note = ""
        if name in given:
            note = f"  typed; the preset has {planned}" if used != planned else "  typed, as in the preset"
        elif used != planned:
            note = f"  from --init_from; the preset has {planned}"
        lines.append(f"    {'--' + name:<{flag}}  {used:<{value if note else 0}}{note}")
    return "\n".join(lines)
