"""``python -m motiongen`` is the ``motiongen`` command."""

from motiongen.cli import run

if __name__ == "__main__":
    run()
