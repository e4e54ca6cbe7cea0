"""Networks that describe pictures: the real path, with tiny models saved in the published format."""

from pathlib import Path

import numpy as np
import pytest
import torch

from thermochroma.base.errors import BadInput
from thermochroma.data.captioning.captioner import Captioner, clause_of
from thermochroma.data.captioning.leak_linter import refuse_colour_words

CPU = torch.device("cpu")
WORDS = "a road with cars trees and people near houses"


def write_blip(folder: Path, words: str = WORDS) -> None:
    """A random BLIP of one narrow layer each, which knows a few words."""
    from transformers import (
        BertTokenizer,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
    )

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]"]
    tokens = [*marks, *words.split()]
    tokenizer = BertTokenizer(
        vocab={token: n for n, token in enumerate(tokens)}, additional_special_tokens=["[DEC]"]
    )
    narrow = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
              "num_attention_heads": 2, "projection_dim": 8}  # fmt: skip
    marked = {"bos_token_id": 5, "pad_token_id": 0, "eos_token_id": 3, "sep_token_id": 3}
    config = BlipConfig(
        text_config={**narrow, **marked, "vocab_size": len(tokens), "encoder_hidden_size": 16},
        vision_config={**narrow, "image_size": 32, "patch_size": 8},
        projection_dim=8,
        image_text_hidden_size=8,
    )
    torch.manual_seed(0)
    model = BlipForConditionalGeneration(config)
    with torch.no_grad():  # words, no marks, and not the same ones for every picture
        model.text_decoder.cls.predictions.bias[: len(marks)] = -100
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.mul_(300 if "crossattention" in name else 30)
    model.save_pretrained(folder)
    size = {"height": 32, "width": 32}
    BlipProcessor(BlipImageProcessor(size=size), tokenizer).save_pretrained(folder)


def write_florence(folder: Path) -> None:
    """A random Florence-2 of one narrow layer each, which spells in bytes."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import (
        BartTokenizer,
        CLIPImageProcessor,
        Florence2Config,
        Florence2ForConditionalGeneration,
        Florence2Processor,
    )

    marks = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    vocab = {token: n for n, token in enumerate([*marks, *sorted(ByteLevel.alphabet())])}
    extra = {"image_token": "<image>"}
    tokenizer = BartTokenizer(vocab=vocab, merges=[], extra_special_tokens=extra)
    config = Florence2Config(
        text_config={
            "model_type": "bart", "vocab_size": len(tokenizer), "d_model": 16,
            "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
            "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32,
            "max_position_embeddings": 128, "decoder_start_token_id": 2,
        },
        vision_config={
            "depths": (1, 1, 1, 1), "embed_dim": (8, 8, 8, 16), "num_heads": (1, 1, 1, 1),
            "num_groups": (1, 1, 1, 1), "window_size": 2, "projection_dim": 16,
            "max_position_embeddings": 8,
        },
        image_token_id=tokenizer.image_token_id,
    )  # fmt: skip
    torch.manual_seed(0)
    model = Florence2ForConditionalGeneration(config)
    # letters and a space, no halves of other signs
    spelt = {n for token, n in vocab.items() if token.isascii() and token.isalpha()} | {vocab["Ġ"]}
    model.generation_config.suppress_tokens = sorted(set(range(len(tokenizer))) - spelt - {2})
    model.save_pretrained(folder)
    pictures = CLIPImageProcessor(size={"height": 64, "width": 64}, do_center_crop=False)
    pictures.image_seq_length = 5  # four patches, and one for all
    Florence2Processor(image_processor=pictures, tokenizer=tokenizer).save_pretrained(folder)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_blip(folder / "blip")
    write_florence(folder / "florence")
    return folder


PICTURES = [
    np.zeros((48, 48), np.uint8),
    np.tile(np.arange(0, 240, 5, dtype=np.uint8), (48, 1)),
    np.full((48, 48), 255, np.uint8),
]


@pytest.mark.parametrize("kind", ["blip", "florence"])
def test_a_captioner_says_the_same_of_the_same_image(kind: str, models: Path) -> None:
    captioner = Captioner(models / kind, CPU)
    said = captioner.say(PICTURES)
    assert len(said) == 3
    assert all(said)
    assert said == [captioner.say([picture])[0] for picture in PICTURES]
    assert Captioner(models / kind, CPU).say(PICTURES) == said


def test_blip_says_words_that_it_knows_and_others_of_another_image(models: Path) -> None:
    said = Captioner(models / "blip", CPU).say(PICTURES)
    assert set(" ".join(said).split()) <= set(WORDS.split())
    assert len(set(said)) > 1


def test_a_captioner_that_knows_only_colours_does_not_pass(tmp_path: Path) -> None:
    write_blip(tmp_path, "red green blue")
    for clause in Captioner(tmp_path, CPU).say(PICTURES):
        with pytest.raises(BadInput, match="mention no colours"):
            refuse_colour_words(clause, where="here")


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("a black and white photo of cars on a road.", "cars on a road"),
        ("A black-and-white photograph of a street with people", "a street with people"),
        ("an infrared image of a man", "a man"),
        ("a grainy picture of trees", "a grainy picture of trees"),
        ("arafed image of a street with cars", "a street with cars"),
        ("there is a man walking a dog", "a man walking a dog"),
        ("The image shows a black and white photo of a bus.", "a bus"),
        ("the image is a grayscale photo of a bus", "a bus"),
        ("a street in black and white", "a street"),
        ("a street, shown in black and white, with cars", "a street, with cars"),
        ("a white truck next to two red cars", "a truck next to two cars"),
        ("an orange car", "a car"),
        ("a blue umbrella and a green-ish ambulance", "an umbrella and an ambulance"),
        ("a black and white car", "a car"),
        ("a man in a dark blue shirt", "a man in a shirt"),
        ("cars on a road", "cars on a road"),
        ("a black and white photo of", ""),
        ("a bright light-blue bus on a dark street", "a bus on a street"),
        (" .", ""),
    ],
)
def test_words_on_the_image_itself_and_colours_before_things_are_cut(said: str, left: str) -> None:
    assert clause_of(said) == left


@pytest.mark.parametrize(
    "said",
    ["a car that is red", "a woman in red and a man", "the car is white", "traffic lights",
     "a street that is bright", "a photo in black"],
)  # fmt: skip
def test_what_the_rules_do_not_cut_is_refused(said: str) -> None:
    with pytest.raises(BadInput, match="mention no colours"):
        refuse_colour_words(clause_of(said), where="here")


def test_what_is_no_captioner_is_refused(models: Path, weights: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"is no folder.*BLIP or Florence-2"):
        Captioner(tmp_path / "nowhere", CPU)
    with pytest.raises(BadInput, match=r"has none of tokenizer\.json"):
        Captioner(tmp_path, CPU)
    with pytest.raises(BadInput, match="of the kind `clip_text_model`"):
        Captioner(weights / "clip", CPU)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "processor_config.json",
                                  "tokenizer.json"])  # fmt: skip
def test_a_captioner_with_a_file_missing_or_damaged_is_refused(name: str, tmp_path: Path) -> None:
    write_blip(tmp_path)
    whole = (tmp_path / name).read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"\xff\xfe", b"[]", b'{"model_type": "blip"'):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadInput, match="BLIP or Florence-2"):
            Captioner(tmp_path, CPU)
    (tmp_path / name).unlink()
    with pytest.raises(BadInput, match="BLIP or Florence-2"):
        Captioner(tmp_path, CPU)
