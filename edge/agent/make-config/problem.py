"""What a person must correct before the files can be made."""


class Problem(Exception):
    """Its text says what is wrong and what to do."""
