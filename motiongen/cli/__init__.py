"""The ``motiongen`` command: dispatches to the module of a command and reports errors in one line.

Exit codes: 0 done, 1 the work failed, 2 the command line is wrong, 130 interrupted.
"""

import contextlib
import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType

from motiongen.registry import suggest

COMMANDS = {
    "generate": "turn sentences into motion: a video, a picture or a file of motion",
    "dance": "turn music into a dance on its beats",
    "edit": "rewrite a part of a clip by a sentence or to music, and keep the rest",
    "serve": "stream characters that obey typed sentences: a page and a websocket",
    "watch": "see a served character in the terminal, and record it",
    "bench-stream": "load test of a server with many characters",
    "render": "draw a clip: a video or a sheet of poses",
    "convert": "change the file format of a clip",
    "retarget": "put a clip on your own character",
    "beats": "find the tempo and the beats of music, and plot them",
    "info": "describe a clip: skeleton, length, speed, foot contacts",
    "models": "list the shipped weights: size, data, licence, contents and styles",
    "prepare": "turn motion capture into a training cache",
    "remember": "make a memory of clips with captions: they answer to words, without training",
    "train": "train the tokenizer, then a head, on a cache",
    "evaluate": "measure weights on held-out clips",
    "demos": "let a scripted expert show a robot's task: a LeRobot dataset",
    "rollout": "let a policy do a robot's task: success rate, videos, latency",
    "replay": "show a policy a robot's recording: how far its actions are from those recorded",
    "serve-policy": "answer robots' observations with chunks of actions, over a websocket",
    "drive": "move a simulated robot with words, a clip or a live stream",
    "completion": "print what makes bash, zsh or fish complete these commands and their options",
}
"""Command -> one line of help. Its module is ``motiongen/cli/COMMAND.py`` (- as _), with ``main(argv)``."""


VERBOSITY = {"-q": logging.ERROR, "-v": logging.DEBUG}
"""Option of every command -> the least level that is logged: errors alone, or all that there is."""


class UsageError(ValueError):
    """Error in the command line itself, raised before anything is loaded or written; exit code 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors of the caller are reported, not raised."""
    argv = list(sys.argv[1:] if argv is None else argv)
    levels = [VERBOSITY[word] for word in argv if word in VERBOSITY]
    argv = [word for word in argv if word not in VERBOSITY]
    try:
        with _log_to_stderr(levels[-1] if levels else None), _terminated_like_interrupted():
            return _dispatch(argv)
    except SystemExit as stop:  # tyro after --help
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt as stop:
        return _fail(str(stop) or "interrupted", 130)
    except UsageError as error:
        return _fail(error, 2)
    except BrokenPipeError:  # `motiongen models | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else error, 1)
    except (ValueError, ImportError) as error:
        return _fail(error, 1)
    except (MemoryError, RuntimeError) as error:
        if not is_full_memory(error):
            raise
        return _fail(f"memory: expected enough for what was asked, got too little ({error}); ask for less", 1)


def run() -> None:
    """Entry point of the console script."""
    sys.exit(main())


def _dispatch(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_help())
        return 0 if argv else 2
    verb = argv[0]
    if verb == "--version":
        from motiongen import __version__

        print(f"motiongen {__version__}")
        return 0
    if verb not in COMMANDS:
        nearest = suggest(verb, COMMANDS)
        hint = f"did you mean {nearest!r}?" if nearest else f"commands: {', '.join(COMMANDS)}"
        raise UsageError(f"unknown command {verb!r}; {hint}")
    importlib.import_module(f"motiongen.cli.{verb.replace('-', '_')}").main(argv[1:])
    return 0


def _help() -> str:
    verbs = "\n".join(f"  {verb:<12} {line}" for verb, line in COMMANDS.items())
    return (
        "usage: motiongen COMMAND [options]\n\nWords and music into motion.\n\n"
        f"commands:\n{verbs}\n\n"
        'Example: motiongen generate "a person walks forward, then waves" -o walk.mp4\n'
        "Each command explains itself: motiongen COMMAND --help. The version: motiongen --version\n"
        "With -q a command logs errors only, with -v all that it does."
    )


def is_full_memory(error: Exception) -> bool:
    """Return whether an error is that of a full memory, which PyTorch tells in words alone."""
    words = ("allocate memory", "not enough memory", "out of memory")
    return isinstance(error, MemoryError) or any(said in str(error) for said in words)


def _fail(error: object, code: int) -> int:
    print(f"motiongen: error: {' '.join(str(error).split())}", file=sys.stderr)
    return code


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Have SIGTERM do what Ctrl-C does: a training saves its step, and nothing unfinished is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, frame: FrameType | None) -> None:
        handler = signal.getsignal(signal.SIGINT)
        if not callable(handler):  # ignored, as in a background job of a shell
            raise KeyboardInterrupt
        handler(signal.SIGINT, frame)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _log_to_stderr(least: int | None) -> Iterator[None]:
    """Log messages of the library to stderr while a command runs: those of a level, or what is of interest."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    loggers = [
        logging.getLogger(name)
        for name in ("motiongen", "motiongen_datasets", "motiongen_bridge", "motiongen_sim")
    ]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        usual = logging.WARNING if logger.name == "motiongen_bridge" else logging.INFO
        logger.setLevel(usual if least is None else least)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
