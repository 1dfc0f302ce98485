import json

import pytest
import torch
from safetensors.torch import save_file

from motiongen.conditions.bert import Bert, BertConfig
from motiongen.conditions.encoder_files import DEFAULT_ENCODER, find_encoder
from motiongen.conditions.other_encoders import load_other
from motiongen.conditions.text import TextEncoder
from motiongen.half_linear import halve

SIZES = {
    "vocab_size": 11,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
SENTENCES = [torch.tensor(ids) for ids in ([1, 2, 3, 4, 5, 6, 7], [8], [9, 10, 1])]


@pytest.fixture
def folder(tmp_path):
    """A BERT as transformers saves it, with a pooler, which is not read."""
    from transformers import BertConfig as OtherConfig
    from transformers import BertModel

    torch.manual_seed(0)
    BertModel(OtherConfig(**SIZES)).save_pretrained(tmp_path)
    return tmp_path


def test_it_gives_what_transformers_gives(folder):
    own, other = Bert.load(folder).eval(), load_other(folder).eval()
    with torch.inference_mode():
        for mine, theirs in zip(own(SENTENCES), other(SENTENCES), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-5)


def test_a_sentence_does_not_depend_on_its_batch():
    torch.manual_seed(0)
    model = Bert(BertConfig(**SIZES)).eval()
    halved = Bert(BertConfig(**SIZES)).eval().requires_grad_(False)
    halve(halved)
    with torch.inference_mode():
        for each in (model, halved):
            together = each(SENTENCES)
            alone = [each([ids])[0] for ids in SENTENCES]
            torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"hidden_act": "relu"}, False),
        ({"model_type": "roberta"}, False),
        ({"is_decoder": True}, False),
    ],
)
def test_models_of_other_kinds_are_left_to_transformers(change, fits):
    assert BertConfig.fits({"model_type": "bert", "hidden_act": "gelu", "x": 1, **change}) is fits


def test_other_sizes_are_one_line(folder):
    record = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**record, "intermediate_size": 8}))
    with pytest.raises(ValueError, match=r"feedforward_in.bias: expected shape \(8,\), got \(32,\)"):
        Bert.load(folder)
    (folder / "config.json").write_text(json.dumps({**record, "num_attention_heads": 3}))
    with pytest.raises(ValueError, match="hidden_size: expected a multiple of 3 heads, got 16"):
        Bert.load(folder)
    (folder / "config.json").write_text(json.dumps(record))
    save_file({"nothing": torch.zeros(1)}, folder / "model.safetensors")
    with pytest.raises(ValueError, match=r"model.safetensors: has no tensor"):
        TextEncoder.load(str(folder))


@pytest.mark.slow
def test_the_shipped_encoder_in_fp16_says_what_transformers_says():
    folder = find_encoder(DEFAULT_ENCODER)
    sentences = ["a person bows", "someone kicks with the right leg, turns around and walks back slowly"]
    encoder, other = TextEncoder.load(), load_other(folder).eval()
    ids = encoder._tokenize(sentences)
    with torch.inference_mode():
        exact, own, theirs = Bert.load(folder).eval()(ids), encoder.embed(sentences), other(ids)
    torch.testing.assert_close(exact, theirs, rtol=0, atol=1e-5)
    for (mine, _), (their, _) in zip(own, theirs, strict=True):
        assert torch.nn.functional.cosine_similarity(mine, their).min() > 0.99999
