"""The files of a repository that call functions of a module."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable

from codemod.files import Excludes, relative
from codemod.folders import list_files
from codemod.model import Offer
from codemod.repository import Repository

#: So many names are looked for one by one; for more, one expression is faster.
_FEW = 12


class Callers:
    """Finds callers; the files of a repository are listed once, and searched once for all names."""

    def __init__(self, repository: Repository, excludes: Excludes | None) -> None:
        self._repository = repository
        self._excludes = excludes
        self._listed: dict[str, list[str]] = {}

    def of(self, offers: Collection[Offer]) -> dict[Offer, set[str]]:
        """Return for some functions the files, other than their own, that may call them."""
        found: dict[Offer, set[str]] = {}
        by_root: dict[str, list[Offer]] = {}
        for offer in offers:
            by_root.setdefault(self._repository.root(offer.path), []).append(offer)
        for root, inside in by_root.items():
            mentioned = self._mentioning({offer.name for offer in inside}, self._files(root))
            for offer in inside:
                for path in mentioned.get(offer.name, ()):
                    if path != offer.path and offer.path in self._repository.imported(path):
                        found.setdefault(offer, set()).add(path)
        return found

    def _files(self, root: str) -> list[str]:
        if root not in self._listed:
            every, _ = list_files(root, lambda path: path.endswith(".py"))
            paths = {relative(path) for path in every}
            if self._excludes is not None:
                paths -= self._excludes.matching(paths)
            self._listed[root] = sorted(path for path in paths if not os.path.islink(path))
        return self._listed[root]

    def _mentioning(self, names: set[str], paths: Iterable[str]) -> dict[str, list[str]]:
        wanted = [name.encode() for name in sorted(names)]
        pattern = re.compile(rb"\b(?:%s)\b" % b"|".join(map(re.escape, wanted)))
        found: dict[str, list[str]] = {}
        for path in paths:
            content = self._repository.glance(path)
            if content is None:
                continue
            if len(wanted) <= _FEW and not any(name in content for name in wanted):
                continue
            for name in {match.decode() for match in pattern.findall(content)}:
                found.setdefault(name, []).append(path)
        return found
