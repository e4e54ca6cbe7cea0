"""One page of Markdown of what a ledger holds."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.gpu.ledger import Ledger
from benchmarks.gpu.worker import FAILED
from thermochroma.base.cells import markdown_table

NONE: Final = "–"
PAYS: Final = 1.05
"""Times as fast as without a compiler, from which on compiling is said to pay."""
Result = Mapping[str, Any]


def page_of(ledger: Ledger, blocks: Sequence[str]) -> str:
    """Everything that was measured of these blocks, and what was not."""
    sections = (
        _head(ledger),
        _speeds(ledger, blocks),
        recorded_of(ledger, blocks),
        _largest(ledger, blocks),
        _waits(ledger, blocks),
        _answers(ledger, blocks),
        _alone(ledger),
        _roadscene(ledger, blocks),
        _left_out(ledger),
    )
    return "\n\n".join(one for one in sections if one) + "\n"


def _table(head: Sequence[object], *rows: Sequence[object]) -> str:
    return markdown_table(head, ["---"] * len(head), *rows)


def _of(ledger: Ledger, part: str, block: str) -> Result:
    found = ledger.results.get(f"{part}/{block}", {})
    return {} if FAILED in found else found


def _head(ledger: Ledger) -> str:
    head, machine, form = ledger.head, ledger.head["machine"], ledger.head["form"]
    tf32 = machine["tf32_in_convolutions"]
    rounded = (
        "" if tf32 is None else f"; convolutions in float32 take TF32: {'yes' if tf32 else 'no'}"
    )
    cuda = f", CUDA {machine['cuda']}, cuDNN {machine['cudnn']}" if machine["cuda"] else ""
    return (
        f"# {machine['card']}\n\n"
        f"Commit {head['commit'] or 'unknown'}, code {head['code']}; PyTorch {machine['torch']}{cuda}, "
        f"Python {machine['python']}, {machine['cores']} cores. Widths times {form['scale']:g}, images of "
        f"{form['side']} pixels or the next size that a method takes, deterministic algorithms where there "
        f"are any, channels last{rounded}. Frozen networks: {head['weights']}; widths of stand-ins "
        f"over {form['stand_in_divisor']}."
    )


def _speeds(ledger: Ledger, blocks: Sequence[str]) -> str:
    rows = []
    for block in blocks:
        steps, fast = _of(ledger, "steps", block), _of(ledger, "compiled", f"{block}/one")
        half = _per_second(steps, "bfloat16", "one")
        rows.append(
            (
                f"`{block}`",
                _number(_per_second(steps, "float32", "one")),
                _number((steps.get("by_hand") or {}).get("images_per_second")),
                _number(half),
                _number(fast.get("images_per_second")),
                _number(fast.get("compiling_seconds")),
                _gib(_memory(steps, "float32", "one")),
                _gib(_memory(steps, "bfloat16", "one")),
                _remark(ledger, block),
            )
        )
    head = ("block", "float32", "by hand, float32", "bf16", "bf16 + compile", "compiling, s")
    more = ("GiB, float32", "GiB, bf16", "remarks")
    return "## Steps with one image, images a second\n\n" + _table((*head, *more), *rows)


def recorded_of(ledger: Ledger, blocks: Sequence[str]) -> str:
    """Speeds of steps that were recorded, and whether they give the same bits."""
    rows = []
    for block in blocks:
        found = _of(ledger, "recorded", block)
        each = [found.get(name, {}) for name in ("float32", "bfloat16")]
        cells = [
            _number(one.get(kind, {}).get("images_per_second"))
            for one in each
            for kind in ("plain", "recorded")
        ]
        half = each[1].get("recorded", {})
        said = half.get("refused") or ledger.results.get(f"recorded/{block}", {}).get(FAILED, "")
        rows.append((f"`{block}`", *cells, _gib(half.get("peak_memory_bytes")), _bits(found), said))
    head = ("block", "float32", "float32, recorded", "bf16", "bf16, recorded", "GiB held")
    return (
        "## Recorded steps with one image, images a second\n\n"
        "The same bits: what a recorded and an unrecorded training came to after eight steps.\n\n"
        + _table((*head, "the same bits", "why not recorded"), *rows)
    )


def _bits(found: Result) -> str:
    """Whether two trainings came to the same; else how far apart they are, beside two unrecorded ones."""
    if "away" not in found or "refused" in found["bfloat16"]["recorded"]:
        return NONE
    away = found["away"]
    return "yes" if away == 0 else f"no: {away:.1e}, unrecorded {found['again']:.1e}"


def _remark(ledger: Ledger, block: str) -> str:
    """What a number cannot say: what failed, and where compiling does not pay."""
    names = (f"steps/{block}", f"compiled/{block}/one", f"compiled/{block}/largest")
    said = [ledger.results[one][FAILED] for one in names if FAILED in ledger.results.get(one, {})]
    steps = _of(ledger, "steps", block)
    for batch in ("one", "largest"):
        fast = _of(ledger, "compiled", f"{block}/{batch}")
        if not fast:
            continue
        images = f"with {fast['images']}"
        plain, speed = _per_second(steps, "bfloat16", batch), fast.get("images_per_second")
        if "refused" in fast:
            said.append(f"compile fails {images}: {fast['refused']}")
        elif not fast["graphs"]:
            said.append("nothing was compiled")
        elif plain and speed and speed < PAYS * plain:
            said.append(f"compile does not pay {images}: {speed / plain:.2f} times as fast")
    return "; ".join(said)


def _largest(ledger: Ledger, blocks: Sequence[str]) -> str:
    rows = []
    for block in blocks:
        steps = _of(ledger, "steps", block)
        cells: list[str] = []
        for precision in ("float32", "bfloat16"):
            found = steps.get(precision, {}).get("largest", {})
            cells += [
                f"{found['images']} ({found['stopped_by']})" if found else NONE,
                _number(found.get("images_per_second")),
                _gib(found.get("peak_memory_bytes")),
            ]
        fast = _of(ledger, "compiled", f"{block}/largest")
        others = (steps.get("any_algorithm"), fast.get("images_per_second"))
        rows.append((f"`{block}`", *cells, *map(_number, others)))
    each = ("batch", "images/s", "GiB")
    head = ("block", *(f"{p}: {one}" for p in ("float32", "bf16") for one in each))
    return (
        "## Steps with the largest batch that fits\n\n"
        "Found by halving from the cap; in brackets, why no larger one was taken. Any algorithm: also "
        "those whose result is not the same twice.\n\n"
        + _table((*head, "bf16, any algorithm: images/s", "bf16 + compile: images/s"), *rows)
    )


def _waits(ledger: Ledger, blocks: Sequence[str]) -> str:
    rows = []
    for block in blocks:
        steps = _of(ledger, "steps", block)
        waits, cosines = steps.get("synchronisations", {}), steps.get("cosines", {})
        counted = ", ".join(f"{name} {count:g}" for name, count in waits.items())
        near = ", ".join(
            f"{player} {NONE if one is None else format(one, '.4f')}"
            for player, one in cosines.items()
        )
        waited = counted or (NONE if not steps else "0")
        rows.append((f"`{block}`", *_busy(steps), waited, near or NONE))
    return (
        "## What a step does, with one image in bf16\n\n"
        "Busy: the part of a step's time in which the device computes. Cosine: of each player's gradient "
        "in bf16 with that in float32, of one batch of drawn scenes.\n\n"
        + _table(("block", "kernels", "on the device, ms", "busy", "waits", "cosine"), *rows)
    )


def _busy(steps: Result) -> tuple[str, str, str]:
    """Kernels of a step, what they take, and their part of the step's whole time."""
    seconds, speed = steps.get("device_seconds"), _per_second(steps, "bfloat16", "one")
    if seconds is None or not speed:
        return NONE, NONE, NONE
    return f"{steps['kernels']:,.0f}", f"{1000 * seconds:.1f}", f"{100 * seconds * speed:.0f} %"


def _answers(ledger: Ledger, blocks: Sequence[str]) -> str:
    rows = []
    for block in blocks:
        faults = _of(ledger, "examination", block).get("faults", {})
        cells = [_answer(faults.get(number, ())) for number in ("5", "8", "9")]
        failed = ledger.results.get(f"examination/{block}", {}).get(FAILED, "")
        rows.append((f"`{block}`", *(cells if faults else [failed or NONE] * 3)))
    asked = ("5: a turn moves its player alone", "8: learns one image", "9: 2 + 1 steps are 3")
    return "## Examination on the device, small widths\n\n" + _table(("block", *asked), *rows)


def _answer(faults: Sequence[str] | None) -> str:
    if faults is None:
        return "not asked, for time"
    if not faults:
        return "yes"
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    return f"no: {faults[0]}{more}"


def _alone(ledger: Ledger) -> str:
    loader, scoring = (ledger.results.get(name, {}) for name in ("loader", "scoring"))
    rows = [
        (f"loader, {workers} processes: pairs/s", _number(speed))
        for workers, speed in loader.get("pairs_per_second", {}).items()
    ]
    eaten = _most_eaten(ledger)
    if rows and eaten:
        most = max(loader["pairs_per_second"].values())
        rows.append(("loader: times what the fastest method eats", f"{most / eaten:.1f}"))
    if "all_scores_ms" in scoring:
        rows.append(
            ("all scores of an image, on the processor: ms", _number(scoring["all_scores_ms"]))
        )
    if "lpips_ms" in scoring:
        rows.append(("LPIPS of an image, on the device: ms", _number(scoring["lpips_ms"])))
    rows += [
        (name, found[FAILED])
        for name, found in (("loader", loader), ("scoring", scoring))
        if FAILED in found
    ]
    return "## Alone\n\n" + _table(("what", "value"), *rows) if rows else ""


def _most_eaten(ledger: Ledger) -> float:
    """Images a second of the fastest step, whichever batch and precision it has."""
    speeds = [
        found["images_per_second"] or 0.0
        for name, steps in ledger.results.items()
        if name.startswith("steps/") and FAILED not in steps
        for precision in ("float32", "bfloat16")
        for found in steps[precision].values()
    ]
    return max(speeds, default=0.0)


def _roadscene(ledger: Ledger, blocks: Sequence[str]) -> str:
    images = ledger.results.get("roadscene-images")
    if images is None:
        return ""
    title = "## RoadScene\n\n"
    if FAILED in images:
        return f"{title}{images[FAILED]}"
    pairs = ", ".join(f"{count} {split}" for split, count in images["pairs"].items())
    kind = "Made-up noise, no RoadScene" if images["made_up"] else "RoadScene"
    rows = []
    for block in blocks:
        found = ledger.results.get(f"roadscene/{block}")
        if found is None:
            continue
        if FAILED in found:
            rows.append((f"`{block}`", found[FAILED], *[NONE] * 7))
            continue
        short = (
            "" if found["images"] == found["planned_images"] else f" of {found['planned_images']}"
        )
        cells = [
            f"{found[split][name]:{form}}"
            for split in ("validation", "test")
            for name, form in SCORES
        ]
        shown = f"{found['images']}{short}"
        speed = (f"{found['batch_size']}", _number(found["images_per_second"]))
        rows.append((f"`{block}`", found["predicts"], shown, *speed, *cells))
    head = ("block", "predicts", "images shown", "batch", "images/s", "PSNR, validation")
    scores = ("SSIM, validation", "PSNR, test", "SSIM, test")
    return (
        f"{title}{kind}: {pairs} pairs, got ready in {images['seconds']:.0f} s. bf16, windows and batches "
        "of params.yaml, as many images as the time allowed: what some seconds of this card give.\n\n"
        + _table((*head, *scores), *rows)
    )


SCORES: Final = (("psnr", ".2f"), ("ssim", ".3f"))


def _left_out(ledger: Ledger) -> str:
    if not ledger.left_out:
        return ""
    names = ", ".join(f"`{name}`" for name in ledger.left_out)
    return f"## Left out for time\n\n{names}. The same command measures them."


def _per_second(steps: Result, precision: str, batch: str) -> float | None:
    speed: float | None = steps.get(precision, {}).get(batch, {}).get("images_per_second")
    return speed


def _memory(steps: Result, precision: str, batch: str) -> int | None:
    memory: int | None = steps.get(precision, {}).get(batch, {}).get("peak_memory_bytes")
    return memory


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:,.1f}"


def _gib(value: int | None) -> str:
    return NONE if value is None else f"{value / 2**30:.2f}"
