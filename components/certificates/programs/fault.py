"""What went wrong with a certificate, for people: a line, and what to do. Standard library only."""


class Fault(Exception):
    def __init__(self, problem, fix=""):
        super().__init__(problem)
        self.fix = fix


def one_line(text):
    """Text of others in one line, without characters that a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in " ".join(str(text).split()))
