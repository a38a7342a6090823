"""The licences of everything that is installed with the product: ``python -m evals.licences > docs/licences.md``."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

OURS = "huasu"
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def main() -> None:
    """Print the list."""
    print("# 依赖与许可证\n\n由 `python -m evals.licences` 生成：运行时装入的全部包（不含开发与训练用的）。\n")
    print("| 包 | 版本 | 许可证 |\n|---|---|---|")
    for name, found in sorted(_needed(OURS).items()):
        print(f"| {name} | {found.version} | {_licence(found)} |")


def _needed(root: str) -> dict[str, Distribution]:
    """The packages a package needs, and what those need, extras apart except for PostgreSQL."""
    found: dict[str, Distribution] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop()
        try:
            package = distribution(name)
        except PackageNotFoundError:  # only on other systems
            continue
        for line in package.requires or []:
            needed = _NAME.match(line)
            wanted = "extra ==" not in line or (name == root and "postgres" in line)
            if needed and wanted and (key := needed[0].lower().replace("_", "-")) not in found:
                waiting.append(key)
        if name != root:
            found[name] = package
    return found


def _licence(package: Distribution) -> str:
    said = _field(package, "License-Expression")
    classified = [c.rsplit(" :: ", 1)[-1] for c in package.metadata.get_all("Classifier") or [] if "License ::" in c]
    short = _field(package, "License").strip().split("\n")[0][:60]
    return said or "；".join(classified) or short or "见包内 LICENSE"


def _field(package: Distribution, name: str) -> str:
    return str((package.metadata.get_all(name) or [""])[0])


if __name__ == "__main__":
    main()
