"""Which listed command an argument vector is."""

from __future__ import annotations

from typing import Callable, Sequence

from policy import AgentCommand, Policy, WordRule
from readable_path import is_readable
from refused import Refused


def match_command(argv: Sequence[str], policy: Policy) -> AgentCommand:
    """The first command of the agent's list that these words are. Raises Refused `not-listed` or `not-readable`."""
    alike = [command for command in policy.commands if _fits(argv, command.words, _any_path)]
    if not alike or "/" in argv[0]:
        raise Refused("not-listed", f"This command is not listed. {_listed(argv[0], policy)}")
    for command in alike:
        if _fits(argv, command.words, lambda word: is_readable(word, policy)):
            return command
    raise Refused(
        "not-readable",
        f"A path of this command is not readable. Readable are: {', '.join(policy.readable)}; never secrets.",
    )


def _listed(program: str, policy: Policy) -> str:
    """What is listed of the program, or else which programs are: the whole list would cost a model dear."""
    patterns = [command.pattern for command in policy.commands]
    same = [pattern for pattern in patterns if pattern.split()[0] == program]
    if same:
        return "Listed are: " + ", ".join(f'"{pattern}"' for pattern in same) + "."
    programs = dict.fromkeys(pattern.split()[0] for pattern in patterns)
    return f"Programs of which some commands are listed: {', '.join(programs)}."


def _any_path(_word: str) -> bool:
    return True


def _fits(argv: Sequence[str], rules: Sequence[WordRule], readable: Callable[[str], bool]) -> bool:
    """Whether the words can be dealt out to the rules, in order. Takes rules times words squared steps at most."""
    # How many words the rules so far may have taken.
    taken = {0}
    for rule in rules:
        after: set[int] = set()
        for start in taken:
            for end in range(start, min(len(argv), start + rule.most) + 1):
                if end > start and not _matches(argv[end - 1], rule, readable):
                    break
                if end - start >= rule.least:
                    after.add(end)
        taken = after
    return len(argv) in taken


def _matches(word: str, rule: WordRule, readable: Callable[[str], bool]) -> bool:
    return rule.match.fullmatch(word) is not None and (not rule.path or readable(word))
