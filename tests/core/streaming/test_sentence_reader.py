import threading
from dataclasses import replace

import pytest

from motiongen.inference.load import load
from motiongen.streaming.sentence_reader import SentenceReader
from tests.core.inference.tiny import save_tiny


class SlowEncoder:
    """A text encoder that notes its calls, and waits in the first one until it is let go on."""

    def __init__(self, text):
        self._text, self.calls, self.go_on = text, [], threading.Event()

    def __getattr__(self, name):
        return getattr(self._text, name)

    def encode(self, prompts):
        self.calls.append(list(prompts))
        self.go_on.wait(20)
        if "explode" in prompts:
            raise RuntimeError("no vector")
        return self._text.encode(prompts)


@pytest.fixture
def text(model):
    return SlowEncoder(model.text)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load("mogo", save_tiny(tmp_path_factory.mktemp("weights")), "cpu")


@pytest.fixture
def reader(model, text):
    reader = SentenceReader(replace(model, text=text))
    yield reader
    text.go_on.set()
    reader.close()


def test_sentences_that_wait_are_read_as_one_batch_and_never_again(reader, text):
    first = reader.read("walk a", ["walk a"])
    while not text.calls:  # until the thread is busy with the first
        pass
    others = [reader.read(f"walk {n}", [f"walk {n}", "bow"]) for n in range(3)]
    text.go_on.set()
    assert {note.result(20) for note in [first, *others]} == {""}
    assert ["walk 0", "bow", "walk 1", "bow", "walk 2", "bow"] in text.calls
    done = len(text.calls)
    assert reader.read("walk 1", ["walk 1", "bow"]).done() and len(text.calls) == done


def test_a_sentence_that_cannot_be_read_fails_alone(reader, text):
    notes = [reader.read(each, [each]) for each in ("walk b", "walk c", "explode", "walk d")]
    text.go_on.set()
    with pytest.raises(RuntimeError, match="no vector"):
        notes.pop(2).result(20)
    assert [note.result(20) for note in notes] == ["", "", ""]


def test_what_waits_at_the_end_is_cancelled(model, text):
    reader = SentenceReader(replace(model, text=text))
    reader.read("walk e", ["walk e"])
    while not text.calls:
        pass
    late = reader.read("walk f", ["walk f"])
    threading.Timer(0.2, text.go_on.set).start()
    reader.close()
    assert late.cancelled()
