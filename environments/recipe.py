"""Recipes: what an image is made of, as a small file in the repository."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from common.exceptions import NotFound

DIRECTORY = Path(__file__).resolve().parent / "recipes"
# Raise it when the same recipe would give another image, because the steps of building changed.
STEPS_VERSION = 2


@dataclass(frozen=True)
class User:
    name: str
    uid: int
    home: str


@dataclass(frozen=True)
class Recipe:
    """The content of a recipe file; `digest` names exactly this content."""

    name: str
    digest: str
    suite: str
    components: list[str]
    python: str
    packages: list[str]
    pip: list[str]
    exclude: list[str]
    include: list[str]
    user: User

    @property
    def image(self) -> str:
        """The reference of its image in the engine's store."""
        return f"localhost/picloud/{self.name}:{self.digest[:12]}"


def read_recipe(name: str) -> Recipe:
    path = DIRECTORY / name / "recipe.toml"
    known = sorted(found.parent.name for found in DIRECTORY.glob("*/recipe.toml"))
    if name not in known:
        raise NotFound("recipe_unknown", f"There is no recipe {name!r}. There are: {', '.join(known)}.")
    content = path.read_bytes()
    fields = tomllib.loads(content.decode())
    digest = hashlib.sha256(b"%d\n" % STEPS_VERSION + content).hexdigest()
    return Recipe(name=name, digest=digest, user=User(**fields.pop("user")), **fields)
