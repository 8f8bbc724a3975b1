"""Who may import whom: the layers of the package, in one direction."""

import ast
from pathlib import Path

import pytest

import charlm

PACKAGE = Path(charlm.__file__).parent
LAYERS = [
    {"version", "errors", "curves", "colours", "correlations", "user_folders"},
    {"config", "templates", "portions"},
    {"train_config"},
    {"machine"},
    {"text", "nn"},
    {"files", "lanes", "arithmetic", "labels", "spelling"},
    {"scoring", "gradients", "plots", "seal", "cache", "heatmap"},
    {"sampling", "streaming", "streams", "scorer"},
    {"checkpoint", "matching"},
    {"ngram"},
    {"prediction"},
    {"compression", "exchange", "labelling", "long_scores", "sample_options"},
    {"scores", "samples", "likelihoods"},
    {"bayes", "continuations", "evaluation", "explain", "ranking", "surprise", "neurons", "filling"},
    {"pairs", "attribution", "differences"},
    {"comparing", "seeing"},
    {"training"},
    {"speed", "histories", "tagging", "classification", "measuring", "novelty"},
    {"adapting"},
    {"ngrams", "loaded_model"},
    {"diagnosis", "kernels"},
    {"api"},
    {"charlm", "cli"},
    {"__main__"},
]
"""Parts of the package from the bottom up; a part may import only from lower ones, or from itself."""
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
ONLY_CLI = {"typer", "tqdm", "click", "rich"}


def modules() -> dict[str, Path]:
    """Every module of the package by its name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ["charlm", *path.relative_to(PACKAGE).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(name: str) -> set[str]:
    """The modules that a module imports, wherever in its text, those for type checking included."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            base = node.module or ""
            submodules = {f"{base}.{alias.name}" for alias in node.names} & set(MODULES)
            found |= submodules or {base}
    return found


def part(module: str) -> str:
    """The part of the package that a module belongs to."""
    return module.split(".")[1] if "." in module else module


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_downwards(name: str) -> None:
    for other in imports(name):
        if not other.startswith("charlm"):
            continue
        assert other in MODULES, other
        mine, theirs = part(name), part(other)
        assert mine in LEVEL, f"the part {mine} has no layer"
        # The entry point's package tells its exit status, and the entry point starts the command line.
        allowed = mine == theirs or LEVEL[theirs] < LEVEL[mine]
        assert allowed, f"{name} imports {other}"


@pytest.mark.parametrize("name", MODULES)
def test_only_the_command_line_imports_what_talks_to_the_terminal(name: str) -> None:
    if part(name) != "cli":
        assert not {other.split(".")[0] for other in imports(name)} & ONLY_CLI


def test_networks_know_no_text_and_text_knows_no_networks() -> None:
    for name in MODULES:
        if part(name) in ("text", "nn"):
            assert not {other for other in imports(name) if part(other) in {"text", "nn"} - {part(name)}}


def test_there_are_no_cycles() -> None:
    """No module leads back to itself, by imports at any place in its text."""
    graph = {name: {other for other in imports(name) if other in MODULES} for name in MODULES}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name not in done:
            for other in graph[name]:
                visit(other, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())
