"""Published addresses of KAIST's archives, with sizes and checksums.

There is one archive per recording, one per set, and one of everything. The authors' folders existed
with and without `images/`, on two hosts; since 2024 none is reported to answer.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from tqdm import tqdm

from thermochroma.base.errors import BadInput
from thermochroma.data.acquisition.archives import Archive

BY_HAND: Final = (
    "get the archives set00_V000.zip and so on by other ways (their authors' addresses are said to be "
    "dead since 2024), put them or their contents into one folder, and name it in "
    "`sources.kaist.source`; or, if archives came and their MD5 alone was another, set "
    "`sources.kaist.allow_other_versions: true`"
)

MD5: Final = """
00_V000 5274333271d2cdef7a55068c277ebac5 00_V001 6d23d30348adb3b4dbe5decc720ecec7
00_V002 6fdf769b5c7f69dabc0093b20572ea8a 00_V003 26dd84e1bd8a35e15aa86f7fb486c944
00_V004 99c7c29609c052c5f069b2f4a65fafcc 00_V005 a68c3dad1f4395056ea616476c83d1a3
00_V006 1c74aa6d36b334cd8e472645c34c8911 00_V007 9ab3865abbc3a829ba3e7c2b916d1ced
00_V008 51664dd5438774f94084ede524e6c947 01_V000 84a6a540d02d1d51bde296d7941674b9
01_V001 e1105c16b26ac7f736be591694dd1de9 01_V002 1602683b61aab1e8019bed5d5a688619
01_V003 42dbaa457def61fa960b45d77be506d3 01_V004 878fd770bc48781c306e7fd07249308d
01_V005 4d3c071ad796f7bc75a86551ea70494c 02_V000 ccc5ae87ac76ebea6962ba2a53f37fe3
02_V001 ae04058cb381ec7ecc0a65ef688970cf 02_V002 364874494b412ec2b360addf80ec5369
02_V003 6122d98c4166d9c23f5199fac0786f1f 02_V004 f3c7485dc84e513b7720289dad3a394d
03_V000 5ce7b343165c34d026c6f3f906067343 03_V001 b568782b51f0b81b385b6ec7dcae0f85
04_V000 fc1edc2f42eb25b746a591e1a52e0e20 04_V001 537966958b372d54d66ae6011b90c9ab
05_V000 3bfa5fe98a01b58095dc5d3e54b7882b 06_V000 91ec5f7e51874591f079d71c48ab2963
06_V001 70f0426f8dee39126db0393235a99127 06_V002 8c50ee703554b8d7ff5e44f65192b41b
06_V003 a0b8f239ff6cdd2949d59042934e74cf 06_V004 211c2ce5ca19784cf4c740202cc4246f
07_V000 903ea61fbc59eb5a69a5ab64c702ff1f 07_V001 7decbef74ee2c90aca5328d7051b4a86
07_V002 2c128624040d79847e0bc66dfc8c5b8f 08_V000 9ccf987943dbe7e39872f49d352571b5
08_V001 ac043c6dce40843dedb932751cbebfcd 08_V002 0f39f8d308c2f0fa3a8d1a30a0acbe48
09_V000 a9f651b4eab913d21117b5b9316dad60 10_V000 3e8dcc61205c3bb99d9300ab017778e8
10_V001 3f8983ce9bccd13d635c8a15d5c46118 11_V000 30576cc858b9cb6ab72523aa28384b59
11_V001 b192b5f386f48c61d95d2f6c65158ddf
"""
"""MD5 of the archives of 2017, from the history of the authors' repository; later ones may differ."""

MD5_OF_TEXTS: Final = {
    "annotations.zip": "a5452d97bb45bb31c90e698f7599f691",
    "imageSets.zip": "1f035c56e09be6499691ef111dc77988",
}
LARGEST: Final = 5 << 30  # bytes: the largest recording's archive has 2 GB
ALL: Final = 80 << 30  # the whole set has 36 GB
TEXTS: Final = (("annotations.zip", "annotations.tar", "annotations-vbb.zip"), ("imageSets.zip",))
"""Files of annotations and of lists of frames; of each kind, the first available one is enough."""
_FOLDERS: Final = (
    "multispectral.kaist.ac.kr/pedestrian/data-kaist/",
    "multispectral.sejong.ac.kr/pedestrian/data-kaist/",
)
BASES: Final = tuple(f"https://{folder}" for folder in _FOLDERS)
PLAIN: Final = tuple(f"http://{folder}" for folder in _FOLDERS)
"""Plain HTTP, as the authors published the folders: anyone on the way can change a file. So
they are asked last, and only for archives whose MD5 is known."""
WHOLE: Final = (
    "https://kaist-cvpr15-dataset.s3.ap-northeast-2.amazonaws.com/kaist-cvpr15.tar.gz",
    "https://onedrive.live.com/download?cid=1570430EADF56512&resid=1570430EADF56512%21109419"
    "&authkey=AJcMP-7Yp86PWoE",
)
COPY: Final = "https://huggingface.co/datasets/McCheng/KAIST/resolve/main/"


def of_recordings(
    sequences: Iterable[str], base: Sequence[str], plain: Sequence[str] = ()
) -> list[Archive]:
    """List one archive for each of `sequences` ("set00/V000"), below the folders `base`.

    plain: further folders, asked last, from which only files of the published MD5 are taken.
    """
    words = MD5.split()
    sums = {f"set{name}": md5 for name, md5 in zip(words[::2], words[1::2], strict=True)}
    files = [(name, name.replace("/", "_")) for name in sequences]
    return [
        _archive(f"{file}.zip", (*base, *plain), f"images/{name}", sums[file], LARGEST)
        for name, file in files
    ]


def of_sets(sequences: Iterable[str], base: Sequence[str]) -> list[Archive]:
    """List one archive for each set of `sequences`."""
    names = sorted({sequence.split("/")[0] for sequence in sequences})
    return [_archive(f"{name}.zip", base, f"images/{name}", None, ALL) for name in names]


def of_everything(base: Sequence[str], whole: Sequence[str]) -> list[Archive]:
    """List the one archive of all images, below `base` or at the addresses `whole`."""
    tars = (f"{folder}videos.tar" for folder in base)
    return [Archive("videos.tar", (*tars, *whole), "images", None, ALL)]


def of_texts(file: str, base: Sequence[str], plain: Sequence[str] = ()) -> list[Archive]:
    """List the archive of annotations, or of lists of frames: `file` is one of `TEXTS`.

    plain: see `of_recordings`.
    """
    md5 = MD5_OF_TEXTS.get(file)
    folders = base if md5 is None else (*base, *plain)
    return [_archive(file, folders, file.split(".")[0], md5, LARGEST)]


def first_of(ways: Sequence[Callable[[], None]]) -> None:
    """Try `ways` until one does not raise BadInput; print why a way failed; raise if all fail."""
    for place, way in enumerate(ways):
        try:
            return way()
        except BadInput as problem:
            if place == len(ways) - 1:
                raise BadInput(
                    given=problem.given, needed=problem.needed, remedy=BY_HAND
                ) from problem
            tqdm.write(f"kaist: {problem.given}; trying the next way")
    return None


def _archive(
    file: str, base: Sequence[str], contains: str, md5: str | None, max_bytes: int
) -> Archive:
    addresses = tuple(f"{one}{folder}{file}" for one in base for folder in ("images/", ""))
    return Archive(file, addresses, contains, md5, max_bytes)
