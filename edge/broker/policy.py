"""What this machine was authorised for: the policy that `fleetbot edge policy NAME` printed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Pattern

import shape

_POLICY_VERSION = 1
_MEGABYTE = 1_048_576
_LONGEST_ACTION_SECONDS = 3_600


@dataclass(frozen=True)
class Check:
    """The exact argument vectors of one check, in order."""

    commands: tuple[tuple[str, ...], ...]
    root: bool


@dataclass(frozen=True)
class WordRule:
    """From `least` to `most` words that each match; `path`: each is a path that must be readable."""

    match: Pattern[str]
    least: int
    most: int
    path: bool


@dataclass(frozen=True)
class AgentCommand:
    """A pattern of argument vectors that the agent may have run."""

    pattern: str
    root: bool
    words: tuple[WordRule, ...]


@dataclass(frozen=True)
class Action:
    """A change that people can approve: one rule for each of its words, how long it may take, and whether it may end
    half-way.
    """

    argv: tuple[Pattern[str], ...]
    timeout_seconds: int
    interruptible: bool


@dataclass(frozen=True)
class Limits:
    """How much one command may take, and how many of the agent's may run at once."""

    command_timeout_seconds: int
    output_bytes: int
    agent_output_bytes: int
    concurrent_commands: int


@dataclass(frozen=True)
class Policy:
    """Everything that may be run on this machine, and what the agent may read."""

    checks: dict[str, Check]
    actions: dict[str, Action]
    commands: tuple[AgentCommand, ...]
    readable: tuple[str, ...]
    secret: tuple[str, ...]
    limits: Limits


def parse_policy(data: bytes, machine: str) -> Policy:
    """The policy in a file of this machine.

    Raises ShapeError, with the place of the first problem, for anything that is not exactly of this version's shape.
    """
    parts = {"version", "machine", "checks", "agent", "limits"}
    # Not there in what fleetbot 1.0 printed, which knew of no change.
    whole = shape.fields(shape.decode(data), "it", parts, frozenset({"actions"}))
    if whole["version"] != _POLICY_VERSION:
        raise shape.ShapeError(f"version must be {_POLICY_VERSION}")
    if whole["machine"] != machine:
        raise shape.ShapeError(f"machine must be {machine}, as in machine.json")
    agent = shape.fields(whole["agent"], "agent", {"commands", "readable", "secret"})
    return Policy(
        checks={
            name: _check(check, f"checks.{name}") for name, check in shape.mapping(whole["checks"], "checks").items()
        },
        actions={
            name: _action(action, f"actions.{name}")
            for name, action in shape.mapping(whole.get("actions", {}), "actions").items()
        },
        commands=tuple(
            _agent_command(command, f"agent.commands[{n}]")
            for n, command in enumerate(shape.items(agent["commands"], "agent.commands"))
        ),
        readable=shape.texts(agent["readable"], "agent.readable"),
        secret=shape.texts(agent["secret"], "agent.secret"),
        limits=_limits(whole["limits"]),
    )


def _check(value: Any, place: str) -> Check:
    check = shape.fields(value, place, {"commands"}, frozenset({"root"}))
    commands = tuple(
        _argv(argv, f"{place}.commands[{n}]")
        for n, argv in enumerate(shape.items(check["commands"], f"{place}.commands"))
    )
    return Check(commands, shape.truth(check.get("root", False), f"{place}.root"))


def _argv(value: Any, place: str) -> tuple[str, ...]:
    argv = shape.texts(value, place, least=1)
    if not argv[0] or "/" in argv[0]:
        raise shape.ShapeError(f"{place}[0] must be the bare name of a program")
    return argv


def _action(value: Any, place: str) -> Action:
    action = shape.fields(value, place, {"argv", "timeoutSeconds", "interruptible", "summary"})
    shape.text(action["summary"], f"{place}.summary")
    words = shape.items(action["argv"], f"{place}.argv", least=1)
    return Action(
        tuple(_pattern(word, f"{place}.argv[{n}]") for n, word in enumerate(words)),
        shape.number(action["timeoutSeconds"], f"{place}.timeoutSeconds", 1, _LONGEST_ACTION_SECONDS),
        shape.truth(action["interruptible"], f"{place}.interruptible"),
    )


def _agent_command(value: Any, place: str) -> AgentCommand:
    command = shape.fields(value, place, {"pattern", "words"}, frozenset({"root"}))
    words = tuple(
        _word_rule(word, f"{place}.words[{n}]")
        for n, word in enumerate(shape.items(command["words"], f"{place}.words", least=1))
    )
    root = shape.truth(command.get("root", False), f"{place}.root")
    if root and any(word.path for word in words):
        # A link that changes between the look at it and the command's own would open any file.
        raise shape.ShapeError(f"{place} takes a path, so it must not run as root")
    return AgentCommand(shape.text(command["pattern"], f"{place}.pattern"), root, words)


def _word_rule(value: Any, place: str) -> WordRule:
    rule = shape.fields(value, place, {"match", "min", "max"}, frozenset({"path"}))
    match = _pattern(rule["match"], f"{place}.match")
    least = shape.number(rule["min"], f"{place}.min", 0, 64)
    most = shape.number(rule["max"], f"{place}.max", max(least, 1), 64)
    return WordRule(match, least, most, shape.truth(rule.get("path", False), f"{place}.path"))


def _pattern(value: Any, place: str) -> Pattern[str]:
    try:
        return re.compile(shape.text(value, place), re.ASCII)
    except re.error as error:
        raise shape.ShapeError(f"{place} is not a regular expression: {error}") from error


def _limits(value: Any) -> Limits:
    names = {"commandTimeoutSeconds", "outputBytes", "agentOutputBytes", "concurrentCommands"}
    limits = shape.fields(value, "limits", names)

    def limit(name: str, most: int) -> int:
        return shape.number(limits[name], f"limits.{name}", 1, most)

    return Limits(
        command_timeout_seconds=limit("commandTimeoutSeconds", 600),
        output_bytes=limit("outputBytes", _MEGABYTE),
        agent_output_bytes=limit("agentOutputBytes", _MEGABYTE),
        concurrent_commands=limit("concurrentCommands", 16),
    )
