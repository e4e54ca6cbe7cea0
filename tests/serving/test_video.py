"""Videos through the command: the images as in files, times and sound kept, whole or not at all."""

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from tests.serving.test_translate import noise, saved
from tests.serving.videos import images_of, sound_of, times_of, write_video
from thermochroma.base.images import read_thermal, read_visible, write_image
from thermochroma.inference import tiles
from thermochroma.inference.defaults import BATCH
from thermochroma.inference.opening import load_predictor
from thermochroma.inference.tiles import Tiling
from thermochroma.serving.arguments.translate import CODECS
from thermochroma.serving.cli import main
from thermochroma.serving.video import Painter
from thermochroma.serving.video_files import Shot, is_video, opened_video
from thermochroma.serving.video_writing import CODINGS

HEIGHT, WIDTH = 64, 96


def moving(count: int, height: int = HEIGHT, width: int = WIDTH) -> list[np.ndarray]:
    """Grey images with edges that move to the left."""
    slope = np.add.outer(np.arange(height) * 2, np.arange(width + count) * 5) % 251
    return [np.ascontiguousarray(slope[:, n : n + width].astype(np.uint8)) for n in range(count)]


def translate(folder: Path, *further: str, block: str = "pix2pix") -> None:
    """Run the command on `folder`/in, into `folder`/out."""
    translator = folder / "translator.safetensors"
    if not translator.exists():
        saved(block, translator)
    main(["translate", str(translator), str(folder / "in"), "--to", str(folder / "out"), *further])


def told(folder: Path, *further: str, block: str = "pix2pix") -> str:
    """What the command says when it fails."""
    with pytest.raises(SystemExit) as caught:
        translate(folder, *further, block=block)
    return str(caught.value)


def test_an_image_of_a_video_is_translated_as_an_image_in_a_file(tmp_path: Path) -> None:
    images = moving(3)
    write_video(tmp_path / "in/a.mkv", images)
    for number, image in enumerate(images):
        write_image(tmp_path / f"in/{number}.png", image)
    translate(tmp_path, "--codec", "ffv1")
    wanted = [read_visible(tmp_path / f"out/{number}.png") for number in range(3)]
    assert np.array_equal(images_of(tmp_path / "out/a.mkv"), wanted)
    assert len({one.tobytes() for one in wanted}) == 3


def test_an_image_of_a_video_stands_beside_its_translation(tmp_path: Path) -> None:
    write_video(tmp_path / "in/a.mkv", moving(2))
    write_image(tmp_path / "in/0.png", moving(2)[0])
    translate(tmp_path, "--codec", "ffv1", "--side-by-side")
    found = images_of(tmp_path / "out/a.mkv")
    assert found.shape == (2, HEIGHT, 2 * WIDTH, 3)
    assert np.array_equal(found[0], read_visible(tmp_path / "out/0.png"))


def test_the_first_image_of_a_video_settles_how_the_tiles_of_all_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a video would flicker wherever one image is just above the bound and the next one below."""
    asked: list[object] = []
    monkeypatch.setattr(tiles, "helpful_guide_for", lambda *_, **given: asked.append(given))
    write_video(tmp_path / "in/a.mkv", [noise(100, 150)] * 3)
    translate(tmp_path, "--codec", "ffv1", "--tile", str(tiles.LEAST_TILE))
    assert len(asked) == 1


def test_a_video_in_colour_becomes_a_grey_one(tmp_path: Path) -> None:
    images = [noise(HEIGHT, WIDTH, 3), noise(HEIGHT, WIDTH, 3)[::-1]]
    write_video(tmp_path / "in/a.mkv", images, form="bgr0")
    write_image(tmp_path / "in/0.png", images[0])
    translate(tmp_path, "--codec", "ffv1", block="thermal_mask")
    found = images_of(tmp_path / "out/a.mkv", "gray")
    assert np.array_equal(found[0], read_thermal(tmp_path / "out/0.png"))
    with av.open(str(tmp_path / "out/a.mkv")) as container:
        assert container.streams.video[0].pix_fmt == "gray"


def test_grey_that_was_coded_in_colour_is_grey_in_its_full_range(tmp_path: Path) -> None:
    images = moving(2)
    write_video(tmp_path / "in/a.mkv", images, form="yuv420p")
    with opened_video(tmp_path / "in/a.mkv") as video:
        shots = [one for one in video.parts() if isinstance(one, Shot)]
    for shot, image in zip(shots, images, strict=True):
        assert np.abs(shot.pixels.astype(int) - image[..., None]).max() <= 2
    translate(tmp_path, "--codec", "ffv1")


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1"])
def test_a_lossy_codec_keeps_levels_and_colours(codec: str, tmp_path: Path) -> None:
    write_video(tmp_path / "in/a.mkv", [np.full((HEIGHT, WIDTH), 40, np.uint8)] * 6)
    translate(tmp_path, "--codec", "ffv1")
    translate(tmp_path, "--codec", codec)
    (lossy,) = (one for one in (tmp_path / "out").iterdir() if one.suffix != ".mkv")
    wanted = images_of(tmp_path / "out/a.mkv").astype(int).mean((1, 2))
    assert np.abs(images_of(lossy).astype(int).mean((1, 2)) - wanted).max() < 3


@pytest.mark.parametrize("form", ["yuv420p", "gray"])
def test_times_and_sound_are_kept(form: str, tmp_path: Path) -> None:
    """Times at will, as of a camera that lets images fall out; B-frames lie in another order."""
    times = [90, 190, 1000, 1010, 1900, 5000, 5100, 7777, 9000, 9010, 9500, 20000]
    codec, suffix = ("libx264", "mp4") if form == "yuv420p" else ("ffv1", "mkv")
    path = write_video(
        tmp_path / f"in/a.{suffix}",
        *(moving(len(times)),),
        codec=codec,
        form=form,
        times=times,
        tick=Fraction(1, 10000),
        sound="aac",
    )
    translate(tmp_path)
    out = tmp_path / "out/a.mp4"
    before, after = sound_of(path), sound_of(out)
    assert [one[1] for one in before] == [one[1] for one in after]
    assert len(before) > 80
    late = after[0][0] - before[0][0]  # of all alike: sound stays with the images
    shifts = [
        there - here - late for here, there in zip(times_of(path), times_of(out), strict=True)
    ]
    assert max(map(abs, shifts)) <= Fraction(1, 1000)
    if form == "yuv420p":  # Matroska rounds to milliseconds
        assert max(shifts) - min(shifts) <= Fraction(1, 100000)


def test_images_without_times_follow_the_rate(tmp_path: Path) -> None:
    write_video(tmp_path / "in/a.h264", moving(6), codec="libx264", form="yuv420p")
    translate(tmp_path)
    assert times_of(tmp_path / "out/a.mp4") == [Fraction(n, 25) for n in range(6)]


def test_sound_that_the_container_cannot_hold_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "in/a.mkv", moving(4), sound="pcm_s16le")
    translate(tmp_path, "--codec", "vp9")
    assert "its sound (pcm_s16le) is left out: .webm cannot hold it" in capsys.readouterr().out
    assert not sound_of(tmp_path / "out/a.webm")
    translate(tmp_path, "--codec", "ffv1")
    assert sound_of(tmp_path / "out/a.mkv") == sound_of(tmp_path / "in/a.mkv")


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turned", [0, 90, -90, 180])
def test_a_video_stands_upright(turned: int, mirrored: bool, tmp_path: Path) -> None:
    image = moving(1)[0]
    path = write_video(tmp_path / "a.mkv", [image], turned=turned, mirrored=mirrored)
    upright = np.rot90(image, turned // 90)
    with opened_video(path) as video:
        (shot,) = video.parts()
    assert isinstance(shot, Shot)
    assert np.array_equal(shot.pixels, upright[:, ::-1] if mirrored else upright)


def test_another_angle_is_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "in/a.mkv", moving(1), turned=45)
    assert "turned by another angle than a quarter" in told(tmp_path)


def test_odd_sides_become_even_where_the_codec_asks_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "in/a.mkv", moving(2, 63, 95))
    translate(tmp_path)
    assert "95 by 63 pixels became even" in capsys.readouterr().out
    assert images_of(tmp_path / "out/a.mp4").shape == (2, 64, 96, 3)
    translate(tmp_path, "--codec", "ffv1")
    assert images_of(tmp_path / "out/a.mkv").shape == (2, 63, 95, 3)


@pytest.mark.parametrize("turned", [0, 90])
def test_pixels_that_are_not_square_stay_so(
    turned: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aspect = Fraction(4, 3)
    given = {"codec": "libx264", "form": "yuv420p", "turned": turned, "aspect": aspect}
    write_video(tmp_path / "in/a.mp4", moving(2), **given)
    translate(tmp_path)
    with av.open(str(tmp_path / "out/a.mp4")) as container:
        found = container.streams.video[0].sample_aspect_ratio
    assert found == (1 / aspect if turned else aspect)
    translate(tmp_path, "--codec", "ffv1")
    assert "its pixels are not square" in capsys.readouterr().out


def test_one_tone_for_a_whole_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = [(one.astype(np.uint16) * 10 + 7000 + 300 * n) for n, one in enumerate(moving(3))]
    write_video(tmp_path / "in/a.mkv", counts, form="gray16le")
    translate(tmp_path, "--codec", "ffv1", "--tone", "percentile 0")
    low, high = min(one.min() for one in counts), max(one.max() for one in counts)
    assert f"--tone 'window {low} {high}'" in capsys.readouterr().out
    other = tmp_path / "other"
    for number, one in enumerate(counts):
        grey = np.rint((one.astype(float) - low) / (high - low) * 255).astype(np.uint8)
        write_image(other / f"in/{number}.png", grey)
    translate(other)
    wanted = [read_visible(other / f"out/{number}.png") for number in range(3)]
    assert np.array_equal(images_of(tmp_path / "out/a.mkv"), wanted)


def test_a_closed_shutter_ends_no_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = [(one.astype(np.uint16) + 7000) for one in moving(3)]
    counts[1][:] = 9000
    write_video(tmp_path / "in/a.mkv", counts, form="gray16le")
    translate(tmp_path, "--tone", "window 7000 7256")
    assert "1 of its 3 images lie wholly outside of the tone" in capsys.readouterr().out
    assert "lie outside of the tone `window 1 2`" in told(
        tmp_path, "--again", "--tone", "window 1 2"
    )


@pytest.mark.parametrize(
    ("image", "form", "block", "further", "sentence"),
    [
        (noise(64, 64, 3), "bgr0", "pix2pix", (), "image 1 of .*shows colour; heat as grey"),
        (noise(64, 64).astype(np.uint16), "gray16le", "pix2pix", (), "more than 8 bits a pixel"),
        (noise(64, 64), "gray", "pix2pix", ("--tone", "window 1 2"), "has 8 bits a pixel, and"),
        (
            noise(64, 64).astype(np.uint16),
            "gray16le",
            "pix2pix",
            ("--tone", "temperature 1 2"),
            "degrees",
        ),
        (noise(64, 64), "gray", "thermal_mask", (), "is grey where a video in colour is expected"),
        (
            noise(64, 64),
            "yuv420p",
            "thermal_mask",
            (),
            "is grey where a video in colour is expected",
        ),
        (noise(64, 64, 3), "yuv422p10le", "thermal_mask", (), "pixels of the form yuv422p10le"),
    ],
)
def test_what_is_refused_of_images_is_refused_of_videos(
    image: np.ndarray,
    form: str,
    block: str,
    further: tuple[str, ...],
    sentence: str,
    tmp_path: Path,
) -> None:
    write_video(tmp_path / "in/a.mkv", [image, image], form=form)
    with pytest.raises(SystemExit, match=sentence):
        translate(tmp_path, *further, block=block)
    assert not (tmp_path / "out").exists() or not [*(tmp_path / "out").iterdir()]


def test_what_is_there_and_made_of_the_same_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "in/a.mkv", moving(2))
    out = tmp_path / "out/a.mp4"
    translate(tmp_path)
    first, file = out.read_bytes(), out.stat().st_ino
    translate(tmp_path)
    assert out.stat().st_ino == file
    translate(tmp_path, "--again")
    assert out.read_bytes() == first
    assert out.stat().st_ino != file
    write_video(tmp_path / "in/a.mkv", moving(3))
    translate(tmp_path)
    assert len(images_of(out)) == 3


def test_a_video_that_translate_did_not_write_is_never_replaced(tmp_path: Path) -> None:
    write_video(tmp_path / "in/a.mkv", moving(5))
    out = write_video(tmp_path / "out/a.mp4", moving(2), codec="libx264", form="yuv420p")
    foreign = out.read_bytes()
    assert "is not as `translate` wrote it" in told(tmp_path, "--again")
    assert out.read_bytes() == foreign
    out.unlink()
    translate(tmp_path)
    cut = _cut_by_another_program(out)
    assert "is not as `translate` wrote it" in told(tmp_path, "--again")
    assert out.read_bytes() == cut


def _cut_by_another_program(path: Path) -> bytes:
    """Drop the last image, as programs for videos do: what the file says of itself is kept."""
    part = path.with_name("part.mp4")
    with av.open(str(path)) as source, av.open(str(part), mode="w") as cut:
        cut.metadata.update(source.metadata)
        stream = cut.add_stream_from_template(source.streams.video[0])
        for packet in [one for one in source.demux(source.streams.video[0]) if one.size][:-1]:
            packet.stream = stream
            cut.mux(packet)
    part.replace(path)
    with av.open(str(path)) as found:
        assert "comment" in found.metadata
    return path.read_bytes()


def test_what_is_interrupted_leaves_nothing_and_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(tmp_path / "in/a.mkv", moving(60))
    translate(tmp_path)
    undisturbed = (tmp_path / "out/a.mp4").read_bytes()
    (tmp_path / "out/a.mp4").unlink()
    painted: list[int] = []
    paint = Painter.paint

    def interrupted(self: Painter, images: list[np.ndarray], *rest: Any) -> list[np.ndarray]:
        painted.append(len(images))
        if len(painted) == 50:  # the encoder has written some
            raise KeyboardInterrupt
        return paint(self, images, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(Painter, "paint", interrupted)
        with pytest.raises(SystemExit):
            translate(tmp_path)
    assert [*(tmp_path / "out").iterdir()] == []
    translate(tmp_path)
    assert (tmp_path / "out/a.mp4").read_bytes() == undisturbed


def test_no_image_is_read_before_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So memory does not grow with the length."""
    write_video(tmp_path / "in/a.mkv", moving(40))
    read, painted = [], []
    paint, shot = Painter.paint, Shot.__init__

    def count(self: Shot, *given: Any) -> None:
        read.append(1)
        shot(self, *given)

    def watch(self: Painter, images: list[np.ndarray], *rest: Any) -> list[np.ndarray]:
        painted.append(len(images))
        assert (
            len(read) - len(painted) <= torch.get_num_threads() + 16
        )  # what decoders hand out at once
        return paint(self, images, *rest)

    monkeypatch.setattr(Shot, "__init__", count)
    monkeypatch.setattr(Painter, "paint", watch)
    translate(tmp_path)
    assert len(read) == len(painted) == 40


def test_a_bad_video_stops_no_other(tmp_path: Path) -> None:
    good = write_video(tmp_path / "in/b.mkv", moving(2)).read_bytes()
    (tmp_path / "in/a.mp4").write_bytes(good[:200])
    write_image(tmp_path / "in/b.png", moving(1)[0])
    assert "1 of 3 files were not translated" in told(tmp_path)
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["b.mp4", "b.png"]


def test_videos_are_counted_beside_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "in/a.mkv", moving(1))
    write_image(tmp_path / "in/b.png", moving(1)[0])
    translate(tmp_path)
    written = capsys.readouterr().out
    assert "a.mkv: 1 image in " in written
    assert "\n1 image and 1 video in " in written
    (tmp_path / "in/b.png").unlink()
    translate(tmp_path)
    assert capsys.readouterr().out.startswith("1 video in ")


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1", "ffv1"])
def test_the_shortest_videos_are_whole(codec: str, count: int, tmp_path: Path) -> None:
    write_video(tmp_path / "in/a.mkv", moving(count))
    translate(tmp_path, "--codec", codec)
    (written,) = (tmp_path / "out").iterdir()
    assert times_of(written) == times_of(tmp_path / "in/a.mkv")
    assert len(times_of(written)) == count


def test_a_playlist_is_no_video(tmp_path: Path) -> None:
    """It would have other files read, or addresses."""
    write_video(tmp_path / "part.ts", moving(4), codec="libx264", form="yuv420p")
    lists = {
        "in/a.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n../part.ts\n#EXT-X-ENDLIST\n",
        "in/b.mkv": "ffconcat version 1.0\nfile ../part.ts\n",
    }
    for name, text in lists.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert "2 of 2 files were not translated" in told(tmp_path)


def test_a_file_of_sound_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "in/a.mp4"
    path.parent.mkdir()
    with av.open(str(path), mode="w") as container:
        track = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 48000), np.int16), format="s16", layout="mono"
        )
        frame.sample_rate = 48000
        container.mux(track.encode(frame))
        container.mux(track.encode())
    assert "a.mp4 holds no video" in told(tmp_path)


def test_a_video_without_a_name_of_its_kind_is_found_by_its_content(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mkv", moving(2)).rename(tmp_path / "a.recording")
    image = tmp_path / "b.capture"
    write_image(tmp_path / "b.png", moving(1)[0])
    (tmp_path / "b.png").rename(image)
    text = tmp_path / "c.text"
    text.write_text("neither")
    assert [is_video(one) for one in (video, image, text)] == [True, False, False]


def test_the_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "in/a.mkv", moving(1))
    monkeypatch.setitem(sys.modules, "av", None)
    assert "pip install 'thermochroma[video]'" in told(tmp_path)


def test_images_go_together_on_a_gpu(tmp_path: Path) -> None:
    """As many as one holds; alone on a processor, where together they might be rounded otherwise."""
    predictor = load_predictor(saved("pix2pix", tmp_path / "a"), text=None, sentence="")
    alone = Painter(predictor, None, 0.0, Tiling(), 1)
    together = replace(alone, together=BATCH)
    images = [np.zeros((side, side), np.uint8) for side in (64, 1024, 3000)]
    assert [alone.batch_of(one) for one in images] == [1, 1, 1]
    assert [together.batch_of(one) for one in images] == [16, 4, 1]


def test_images_that_go_together_come_out_as_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each beside the one reference; the last ones are fewer."""
    write_video(tmp_path / "in/a.mkv", moving(5))
    write_image(tmp_path / "reference.png", noise(40, 40, 3))
    given = ("--codec", "ffv1", "--reference", str(tmp_path / "reference.png"))
    translate(tmp_path, *given, block="reference_contrastive")
    alone = images_of(tmp_path / "out/a.mkv").astype(int)
    shown = []
    paint = Painter.paint
    monkeypatch.setattr(Painter, "batch_of", lambda self, image: 2)
    monkeypatch.setattr(
        Painter,
        "paint",
        lambda self, images, *rest: shown.append(len(images)) or paint(self, images, *rest),
    )
    translate(tmp_path, *given, "--again")
    assert shown == [2, 2, 1]
    assert np.abs(images_of(tmp_path / "out/a.mkv") - alone).max() <= 1


def test_a_steadier_video_flickers_less_and_is_another_one(tmp_path: Path) -> None:
    """The same again each time, also by batches; and made anew where it was asked for otherwise."""
    rng = np.random.default_rng(0)
    images = [np.clip(one + rng.normal(0, 12, one.shape), 0, 255) for one in moving(6)]
    write_video(tmp_path / "in/a.mkv", [one.astype(np.uint8) for one in images])
    translate(tmp_path, "--codec", "ffv1")
    plain = images_of(tmp_path / "out/a.mkv")
    translate(tmp_path, "--codec", "ffv1", "--steady", "0.8", "--side-by-side")
    steady = images_of(tmp_path / "out/a.mkv")
    assert np.array_equal(steady[0][:, WIDTH:], plain[0])
    for image, one in zip(images, steady, strict=True):
        assert np.array_equal(one[:, :WIDTH, 0], image.astype(np.uint8))
    assert not np.array_equal(steady[1][:, WIDTH:], plain[1])
    before = (tmp_path / "out/a.mkv").read_bytes()
    translate(tmp_path, "--codec", "ffv1", "--steady", "0.8", "--side-by-side", "--again")
    assert (tmp_path / "out/a.mkv").read_bytes() == before
    translate(tmp_path, "--codec", "ffv1", "--steady", "0.5", "--side-by-side")
    assert (tmp_path / "out/a.mkv").read_bytes() != before


def test_a_share_that_cannot_be_is_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "in/a.mkv", moving(1))
    assert "to below 1" in told(tmp_path, "--steady", "1")
    (tmp_path / "in/a.mkv").unlink()
    write_image(tmp_path / "in/0.png", moving(1)[0])
    assert "--steady 0.5 is asked of images" in told(tmp_path, "--steady", "0.5")


def test_the_command_offers_all_codecs_and_no_other() -> None:
    assert [*CODINGS] == [*CODECS]
