import logging

import pytest
import torch

from motiongen.conditions import encoder_files
from motiongen.conditions.bert import Bert, BertConfig
from motiongen.conditions.encoder_files import DEFAULT_ENCODER, find_encoder
from motiongen.conditions.prompt import normalise_prompt
from motiongen.conditions.text import TextCondition, TextEncoder
from motiongen.data.caption_table import CaptionTable


@pytest.fixture(scope="module")
def encoder():
    return TextEncoder.load()


@pytest.fixture
def tiny():
    """A real BERT of one layer with five words, in place of the 22 million parameters."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(
        WordLevel({"[UNK]": 0, "walk": 1, "wave": 2, "then": 3, "bow": 4}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = Whitespace()
    torch.manual_seed(0)
    sizes = {
        "vocab_size": 5,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    return TextEncoder(Bert(BertConfig(**sizes)), tokenizer, "tiny", max_tokens=6)


def test_a_prompt_does_not_depend_on_its_batch(tiny):
    batch, alone = tiny.encode(["walk", "walk then wave then bow"]), tiny.encode(["walk"])
    assert batch.padding_mask.sum(dim=1).tolist() == [4, 0]
    assert torch.equal(batch.tokens[0, :1], alone.tokens[0]) and torch.equal(batch.pooled[0], alone.pooled[0])


def test_pooled_is_the_mean_of_the_tokens(tiny):
    condition = tiny.encode(["walk then bow"])
    torch.testing.assert_close(condition.pooled, condition.tokens.mean(dim=1))


def test_a_long_prompt_is_cut_with_a_warning(tiny, caplog):
    with caplog.at_level(logging.WARNING):
        assert tiny.encode(["walk " * 50]).tokens.shape == (1, 6, 8)
    assert "longer than 6 word pieces" in caplog.text


def test_an_endless_prompt_is_refused(tiny):
    with pytest.raises(ValueError, match="expected at most 60 words, got 10000"):
        tiny.encode(["walk " * 10_000])


@pytest.mark.parametrize("prompt", ["", "  \n", "...", "\0", "?", "\U0001f600"])
def test_an_empty_prompt_is_refused(tiny, prompt):
    with pytest.raises(ValueError, match="prompt: expected words"):
        tiny.encode([prompt])


def test_a_string_is_not_taken_for_a_list_of_letters(tiny):
    with pytest.raises(ValueError, match=r"pass \[prompt\]"):
        tiny.encode("walk")


def test_spaces_and_a_full_stop_do_not_change_a_prompt():
    assert normalise_prompt("  a person\n walks. ") == "a person walks"


def test_the_memory_forgets_the_oldest_prompt(tiny):
    tiny.cache_size = 2
    tiny.encode(["walk", "wave"])
    tiny.encode(["walk", "bow"])
    assert set(tiny._cache) == {"walk", "bow"}


def test_a_table_gives_back_what_was_encoded_and_is_not_encoded_twice(tiny, tmp_path):
    captions = ["wave", "walk then wave", "walk"]
    table = CaptionTable.build(tiny, [*captions, "walk"], tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}
    again = CaptionTable.build(tiny, captions, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")} == written and len(table) == 3
    gathered, direct = again.gather([again.index(caption) for caption in captions]), tiny.encode(captions)
    torch.testing.assert_close(gathered.tokens, direct.tokens, rtol=0, atol=2e-3)  # fp16
    torch.testing.assert_close(gathered.pooled, direct.pooled, rtol=0, atol=2e-3)
    assert torch.equal(gathered.padding_mask, direct.padding_mask)


def test_items_of_a_condition():
    condition = TextCondition.stack([torch.ones(2, 3), torch.zeros(1, 3)], torch.arange(2.0)[:, None])
    assert condition[[1, 1, 0]].pooled.flatten().tolist() == [1, 1, 0] and len(condition[1:]) == 1


def test_an_unknown_encoder_names_a_way_out():
    with pytest.raises(
        ValueError, match="text encoder: expected a folder or a model in the Hugging Face cache"
    ):
        find_encoder("nobody/no-such-model")


def test_changed_bytes_are_refused_wherever_they_lie(monkeypatch):
    monkeypatch.setitem(encoder_files.CARRIED_SHA256, "tokenizer.json", "0" * 64)
    with pytest.raises(ValueError, match=r"tokenizer.json: expected SHA-256 000000000000…, got be50c3628f2b"):
        find_encoder(DEFAULT_ENCODER)


def test_a_folder_in_the_working_directory_does_not_replace_the_official_bytes(tmp_path, monkeypatch):
    official = find_encoder(DEFAULT_ENCODER)
    folder = tmp_path / DEFAULT_ENCODER
    folder.mkdir(parents=True)
    for name in encoder_files.CARRIED_SHA256:
        (folder / name).write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert find_encoder(DEFAULT_ENCODER) == official
    monkeypatch.setattr(encoder_files, "CARRIER", "not-installed")
    with pytest.raises(
        ValueError, match=r"all-MiniLM-L6-v2/config.json: expected SHA-256 953f9c0d4634…, got"
    ):
        find_encoder(DEFAULT_ENCODER)
    for name in encoder_files.CARRIED_SHA256:
        (folder / name).unlink()
        (folder / name).symlink_to(official / name)
    assert find_encoder(DEFAULT_ENCODER).resolve() == folder


def test_another_encoder_is_named_with_its_folder(tmp_path, caplog):
    (tmp_path / "config.json").write_text("{}")
    with caplog.at_level(logging.INFO):
        assert find_encoder(str(tmp_path)) == tmp_path
    assert f"read from {tmp_path}" in caplog.text


@pytest.mark.slow
def test_the_shipped_encoder_puts_like_beside_like(encoder):
    assert encoder.dim == 384
    pooled = torch.nn.functional.normalize(
        encoder.encode(["a person waves", "someone is waving a hand", "a person kicks a ball"]).pooled, dim=-1
    )
    assert pooled[0] @ pooled[1] > pooled[0] @ pooled[2] + 0.1
