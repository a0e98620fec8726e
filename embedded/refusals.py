"""Why `rectify up` does not start. One line, Chinese first; the command prints it and exits with 2."""


class Refusal(Exception):
    def __init__(self, chinese: str, english: str) -> None:
        super().__init__(f"{chinese} {english}")
