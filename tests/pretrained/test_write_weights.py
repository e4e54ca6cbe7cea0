"""Frozen weights: written, read, refused; stand-ins and published formats through one path."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torchvision.models import vgg
from torchvision.transforms.functional import normalize
from transformers import CLIPConfig, CLIPModel, CLIPTextModel, CLIPTokenizer

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.networks.clip_text import TextEncoder
from thermochroma.networks.frozen import ORIGIN, TENSORS, FrozenNetworks, Vgg, VggFeatures, load_vgg
from thermochroma.pretrained import published
from thermochroma.pretrained import write_weights as weights
from thermochroma.pretrained.stand_in_vocabulary import merges_of, vocabulary_of

SENTENCES = (
    "a daytime thermal infrared image of a university campus road with trees and low buildings, "
    "a few pedestrians, open sky",
    "a street scene",
)


def image(size: int = 32) -> torch.Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def write_small(folder: Path, network: Vgg = "vgg19", seed: int = 0) -> None:
    weights.write_vgg(
        folder, network=network, kind="stand_in", seed=seed, stand_in_width_divisor=16
    )


def torchvisions_features(name: str) -> torch.nn.Sequential:
    """`torchvision.models.vgg19().features`, without the seconds that its classifier takes."""
    torch.manual_seed(0)
    layers = vgg.make_layers(vgg.cfgs[{"vgg16": "D", "vgg19": "E"}[name]])
    for layer in layers:
        layer.inplace = False  # the maps before the ReLUs are looked at too
    return layers


def named(layers: torch.nn.Sequential) -> dict[str, torch.Tensor]:
    return {f"features.{name}": tensor for name, tensor in layers.state_dict().items()}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "clip"
    weights.write_clip(folder, kind="stand_in", seed=1, stand_in_width=64, stand_in_layers=1)
    return folder


@pytest.fixture(scope="module")
def published_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small CLIP with both encoders, saved as the published one is."""
    folder = tmp_path_factory.mktemp("published")
    merges = merges_of()
    vocabulary = vocabulary_of(merges)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    ends = {"bos_token_id": len(vocabulary) - 2, "eos_token_id": len(vocabulary) - 1}
    config = CLIPConfig(
        text_config={"vocab_size": len(vocabulary), "num_attention_heads": 2, **small, **ends},
        vision_config={"image_size": 32, "patch_size": 16, "num_attention_heads": 2, **small},
    )
    torch.manual_seed(0)
    CLIPModel(config).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *map(" ".join, merges)]))
    return folder


@pytest.mark.parametrize(
    "name, taps",
    [
        ("vgg19", (0, 1, 2, 3, 4, 8, 17, 26, 36)),
        ("vgg16", (3, 8, 15, 22, 29)),
    ],
)
def test_vgg_equals_torchvisions(name: str, taps: tuple[int, ...]) -> None:
    reference = torchvisions_features(name)
    found = VggFeatures(named(reference), taps=taps)(image())
    for tap, features in zip(taps, found, strict=True):
        torch.testing.assert_close(features, reference[: tap + 1](image()))


def test_vgg_normalises_as_imagenet_if_asked(tmp_path: Path) -> None:
    write_small(tmp_path)
    unit = (image() + 1) / 2
    normed = normalize(unit, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    found = load_vgg(tmp_path, taps=(3,), imagenet_norm=True)(image())
    torch.testing.assert_close(found, load_vgg(tmp_path, taps=(3,))(normed))


@pytest.mark.parametrize("network", ["vgg16", "vgg19"])
def test_each_vgg_is_read_from_its_own_folder(network: Vgg, tmp_path: Path) -> None:
    write_small(tmp_path / "vgg16", "vgg16")
    write_small(tmp_path / "vgg19", "vgg19")
    found = getattr(FrozenNetworks(tmp_path), network)(taps=(3, 22), imagenet_norm=True)
    expected = load_vgg(tmp_path / network, taps=(3, 22), imagenet_norm=True)
    for got, wanted in zip(found(image()), expected(image()), strict=True):
        assert torch.equal(got, wanted)
    state = load_file(tmp_path / network / TENSORS)
    assert state.keys() == named(torchvisions_features(network)).keys()


def test_vgg_holds_nothing_that_is_taught_or_saved(tmp_path: Path) -> None:
    write_small(tmp_path)
    network = load_vgg(tmp_path)
    seen = image().requires_grad_()
    sum(features.sum() for features in network(seen)).backward()
    assert seen.grad is not None
    assert list(network.parameters()) == []
    assert network.state_dict() == {}
    assert len(network.kinds) == 27


@pytest.mark.parametrize(
    "network, taps", [("vgg16", (3, 8, 15, 22, 29)), ("vgg19", (3, 8, 17, 26, 35))]
)
def test_random_vgg_neither_fades_nor_explodes(
    network: Vgg, taps: tuple[int, ...], tmp_path: Path
) -> None:
    weights.write_vgg(tmp_path, network=network, kind="stand_in")
    for features in load_vgg(tmp_path, taps=taps)(image(64)):
        assert 0.1 < features.mean() < 3
        assert 0.1 < features.std() < 3


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state.pop("features.5.bias"),
        lambda state: state.update({"features.37.weight": torch.zeros(1)}),
        lambda state: state.update({"features.5.wait": state.pop("features.5.weight")}),
        lambda state: state.update({"features.5.weight": torch.zeros(8, 9, 3, 3)}),
    ],
)
@pytest.mark.parametrize("network", ["vgg16", "vgg19"])
def test_wrong_vgg_tensors_are_refused(spoil: object, network: Vgg, tmp_path: Path) -> None:
    write_small(tmp_path, network)
    state = load_file(tmp_path / TENSORS)
    spoil(state)
    save_file(state, tmp_path / TENSORS)
    (tmp_path / ORIGIN).unlink()  # a folder of the user's own
    with pytest.raises(BadInput, match=r"features\.(37|5)") as caught:
        load_vgg(tmp_path)
    assert network in caught.value.given or "shapes" in caught.value.given


def test_cut_or_missing_vgg_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        load_vgg(tmp_path)
    write_small(tmp_path / "vgg")
    file = tmp_path / "vgg" / TENSORS
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(BadInput, match="was cut or changed"):
        load_vgg(tmp_path / "vgg")
    (tmp_path / "vgg" / ORIGIN).unlink()
    with pytest.raises(BadInput, match="cannot be read"):
        load_vgg(tmp_path / "vgg")


@pytest.mark.parametrize("name", ["config.json", "vocab.json", "merges.txt", TENSORS])
def test_a_turned_bit_in_a_file_of_the_text_encoder_is_noticed(
    name: str, clip: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(clip, tmp_path / "clip"))
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BadInput, match=rf"{name} was cut or changed .*dvc repro -f weights"):
        TextEncoder(folder)


def test_a_changed_note_of_the_weights_is_no_excuse(tmp_path: Path) -> None:
    write_small(tmp_path)
    text = (tmp_path / ORIGIN).read_text()
    (tmp_path / ORIGIN).write_text(text.replace('"files"', '"filed"'))
    with pytest.raises(BadInput, match=r"origin\.json was cut or changed"):
        load_vgg(tmp_path)


@pytest.mark.parametrize("taps", [(), (8, 3), (3, 3), (-1,), (37,)])
def test_taps_must_rise(taps: tuple[int, ...], tmp_path: Path) -> None:
    write_small(tmp_path)
    with pytest.raises(ValueError, match="taps must rise"):
        load_vgg(tmp_path, taps=taps)


def test_stand_ins_depend_on_the_seed_alone(clip: Path, tmp_path: Path) -> None:
    torch.manual_seed(123)
    again = tmp_path / "again"
    weights.write_clip(again, kind="stand_in", seed=1, stand_in_width=64, stand_in_layers=1)
    for file in clip.iterdir():
        assert sha256(file) == sha256(again / file.name), file.name
    tensors = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_small(tmp_path / name, seed=seed)
        tensors.append(sha256(tmp_path / name / TENSORS))
    assert tensors[0] == tensors[1] != tensors[2]
    origin = json.loads((tmp_path / "c" / "origin.json").read_text())
    assert (origin["kind"], origin["seed"]) == ("stand_in", 1)


def test_text_is_encoded_as_the_library_does(clip: Path) -> None:
    encoded = TextEncoder(clip).encode(SENTENCES)
    tokenizer, model = CLIPTokenizer.from_pretrained(clip), CLIPTextModel.from_pretrained(clip)
    tokens = tokenizer(list(SENTENCES), padding="max_length", max_length=77, return_tensors="pt")
    expected = model(**tokens).last_hidden_state
    torch.testing.assert_close(encoded.features[encoded.mask], expected[encoded.mask])
    # 22 words and commas, "a street scene"; the two marks
    assert encoded.mask.sum(dim=1).tolist() == [22 + 2, 3 + 2]
    assert encoded.mask[:, 0].all()


def test_a_sentence_is_encoded_by_itself(clip: Path) -> None:
    encoder = TextEncoder(clip)
    together, alone = encoder.encode(SENTENCES), encoder.encode(SENTENCES[1:])
    torch.testing.assert_close(together.features[1:], alone.features)
    assert (together.features[0] - together.features[1]).abs().max() > 0.1
    assert not together.features.requires_grad


def test_a_long_sentence_is_refused_and_never_cut(clip: Path) -> None:
    encoder = TextEncoder(clip)
    assert encoder.encode(["street " * 75]).mask.all()
    with pytest.raises(BadInput, match="has 78 tokens"):
        encoder.encode(["a street", "street " * 76])


def test_any_text_can_be_encoded(clip: Path) -> None:
    tokenizer = TextEncoder(clip).tokenizer
    text = "tramway überführung № 7!"
    assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == (
        "tramway überführung № 7 !"
    )


@pytest.mark.parametrize("name", ["config.json", "vocab.json", "merges.txt", TENSORS])
def test_a_missing_file_of_the_text_encoder_is_named(name: str, clip: Path, tmp_path: Path) -> None:
    shutil.copytree(clip, tmp_path / "clip")
    (tmp_path / "clip" / name).unlink()
    with pytest.raises(BadInput, match=f"{name} does not exist"):
        TextEncoder(tmp_path / "clip")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("vocab.json", b'{"a</w>": 0', r"vocab\.json cannot be read \(JSONDecodeError"),
        ("vocab.json", b"[]", r"vocab\.json holds no names"),
        ("vocab.json", b'{"a</w>": 0}', r"vocab\.json has no <\|"),
        ("vocab.json", b'{"a</w>": 9999999}', r"the place 9999999, beyond the weights"),
        ("merges.txt", b"\xff\xfe", r"merges\.txt cannot be read \(UnicodeDecodeError"),
        ("config.json", b"{", r"config\.json cannot be read \(JSONDecodeError"),
        ("config.json", b"", r"config\.json is empty"),
        (
            "config.json",
            b'{"num_hidden_layers": 1000000000}',
            "is 1000000000, and not from 1 to 64",
        ),
        ("config.json", b'{"hidden_size": "wide"}', "`hidden_size` in .* is 'wide'"),
        (TENSORS, b"\xff" * 64, r"model\.safetensors was cut or changed"),
    ],
)
def test_a_broken_file_of_the_text_encoder_is_named(
    name: str, content: bytes, sentence: str, clip: Path, tmp_path: Path
) -> None:
    shutil.copytree(clip, tmp_path / "clip")
    (tmp_path / "clip" / name).write_bytes(content)
    with pytest.raises(BadInput, match=sentence) as caught:
        TextEncoder(tmp_path / "clip", remedy="name another folder")
    assert caught.value.remedy == "name another folder"


def test_a_misnamed_tensor_of_the_text_encoder_is_named(clip: Path, tmp_path: Path) -> None:
    shutil.copytree(clip, tmp_path / "clip")
    state = load_file(clip / TENSORS)
    name = next(name for name in state if name.endswith("final_layer_norm.bias"))
    state[name + "es"] = state.pop(name)
    save_file(state, tmp_path / "clip" / TENSORS, metadata={"format": "pt"})
    (tmp_path / "clip" / ORIGIN).unlink()
    with pytest.raises(BadInput, match=r"missing or misnamed tensors: .*final_layer_norm"):
        TextEncoder(tmp_path / "clip")


@pytest.mark.parametrize("network", ["vgg16", "vgg19"])
def test_published_vgg_is_taken_from_torchs_cache(
    network: Vgg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    checkpoints = tmp_path / "torch" / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    state = named(torchvisions_features(network))
    classifier = {"classifier.0.weight": torch.zeros(2, 2)}  # is left out
    torch.save(state | classifier, checkpoints / "made")
    file = f"{network}-{sha256(checkpoints / 'made')[:8]}.pth"  # as torchvision names it
    (checkpoints / "made").rename(checkpoints / file)
    monkeypatch.setitem(published.torchvisions_addresses(), network, f"https://127.0.0.1:9/{file}")
    weights.write_vgg(tmp_path / "vgg", network=network, kind="published")
    expected = VggFeatures(state)(image())
    torch.testing.assert_close(load_vgg(tmp_path / "vgg")(image()), expected)
    assert json.loads((tmp_path / "vgg" / "origin.json").read_text())["kind"] == "published"


def test_another_file_in_the_cache_is_neither_read_nor_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    file = (
        tmp_path / "torch/hub/checkpoints" / Path(published.torchvisions_addresses()["vgg19"]).name
    )
    file.parent.mkdir(parents=True)
    torch.save(named(torchvisions_features("vgg19")), file)
    content = sha256(file)
    with pytest.raises(BadInput, match=f"{file.name} has the SHA-256 {content}"):
        weights.write_vgg(tmp_path / "vgg", network="vgg19", kind="published")
    assert sha256(file) == content
    assert not (tmp_path / "vgg").exists()


def test_published_clip_is_taken_from_a_folder(published_clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    weights.write_clip(folder, kind="published", published=str(published_clip))
    encoded = TextEncoder(folder).encode(SENTENCES)
    tokens = CLIPTokenizer.from_pretrained(published_clip)(
        list(SENTENCES), padding="max_length", max_length=77, return_tensors="pt"
    )
    both = CLIPModel.from_pretrained(published_clip)
    expected = both.text_model(input_ids=tokens["input_ids"]).last_hidden_state
    torch.testing.assert_close(encoded.features, expected)


def test_published_clip_is_taken_from_the_hubs_cache(
    published_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "hub" / "models--openai--clip-vit-base-patch32"
    shutil.copytree(published_clip, model / "snapshots" / "0123")
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("0123")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    weights.write_clip(tmp_path / "clip", kind="published")
    assert TextEncoder(tmp_path / "clip").width == 32


@pytest.mark.parametrize("offline", [True, False])
def test_published_clip_without_network_ends_with_a_sentence(
    offline: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", offline)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(BadInput, match="could not be obtained from http://127") as caught:
        weights.write_clip(tmp_path / "out" / "clip", kind="published")
    assert ("HF_HUB_OFFLINE is set" in caught.value.given) == offline
    assert "stand_in` in params.yaml" in caught.value.remedy
    assert not (tmp_path / "out").exists()


def test_published_vgg_without_network_ends_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr("thermochroma.data.acquisition.fetch.time.sleep", lambda seconds: None)
    with pytest.raises(BadInput, match="could not be fetched") as caught:
        weights.write_vgg(tmp_path / "vgg", network="vgg16", kind="published")
    assert "stand_in` in params.yaml" in caught.value.remedy
    assert not (tmp_path / "vgg").exists()
