"""What a command has come to."""

from subprocess import CompletedProcess


def done(ended: "CompletedProcess[str]") -> str:
    """What a command that did what it was asked has printed; it had nothing to complain of."""
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    return ended.stdout


def complaint(ended: "CompletedProcess[str]") -> str:
    """The one line of a command that could not do what it was asked."""
    assert (ended.returncode, ended.stdout) == (1, ""), ended.stdout + ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.startswith("livelift: ")
    return line
