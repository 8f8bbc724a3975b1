"""What tests of ``charlm sample`` share."""

from typing import Any

from cli_cases import Trained, succeed


def drawn(model: Trained, *options: object) -> str:
    """The texts."""
    return succeed("sample", "--model", model.folder, "--seed", 1, *options).out.decode()


def objects(model: Trained, *options: object) -> list[dict[str, Any]]:
    """The samples as objects."""
    found: list[dict[str, Any]] = succeed("sample", "--model", model.folder, "--seed", 1, "--jsonl", *options).objects
    return found


def tokens(one: dict[str, Any]) -> list[str]:
    """The tokens of one."""
    listed = one["tokens"]
    assert isinstance(listed, list)
    return [each["token"] for each in listed]
