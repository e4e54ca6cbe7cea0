"""A diagram of a translator, drawn from the code: one forward pass is traced, nothing is drawn by hand.

Edges between parts are found by following the tensors: a result that is computed outside the parts
(a sum, a concatenation) has the origins of the tensors that it is computed from.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

MOST_PARTS = 32


@dataclass
class _Watch(TorchFunctionMode):
    """Trace of a forward pass: the parts or inputs that every tensor comes from."""

    origins: dict[int, frozenset[str]] = field(default_factory=dict)
    kept: list[Tensor] = field(default_factory=list)  # an id is unique only while its tensor exists
    inside: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if not self.inside:
            self.mark(result, self.of([*args, *(kwargs or {}).values()]))
        return result

    def of(self, values: Any) -> frozenset[str]:
        """Parts that the tensors among `values` come from."""
        return frozenset().union(*(self.origins.get(id(t), frozenset()) for t in _tensors(values)))

    def mark(self, values: Any, origins: frozenset[str]) -> None:
        for tensor in _tensors(values):
            self.origins[id(tensor)] = origins
            self.kept.append(tensor)


def draw(translator: nn.Module, seen: Any, *, most_parts: int = MOST_PARTS) -> str:
    """Mermaid flowchart of a translator: inputs, parts with their kind and output shape, output.

    seen: an input of the translator; a small batch is enough. Blocks are opened, the largest first,
    while there are at most `most_parts` parts.
    """
    parts = _parts(translator, most_parts)
    watch = _Watch()
    shapes: dict[str, str] = {}
    edges: dict[tuple[str, str], None] = {}  # a set that remembers its order
    for one in fields(seen):
        watch.mark(getattr(seen, one.name), frozenset({one.name}))
        shapes[one.name] = _shape(getattr(seen, one.name))
    with torch.no_grad(), _watched(parts, watch, shapes, edges), watch:
        out = translator(seen)
    edges |= {(origin, "output"): None for origin in sorted(watch.of(out))}
    shapes["output"] = _shape(out)
    return _mermaid(parts, shapes, edges, inputs=[one.name for one in fields(seen)])


@contextmanager
def _watched(
    parts: Mapping[str, nn.Module],
    watch: _Watch,
    shapes: dict[str, str],
    edges: dict[tuple[str, str], None],
) -> Iterator[None]:
    def enter(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, args: Any, kwargs: Any) -> None:
            origins = watch.of([*args, *kwargs.values()])
            edges.update({(origin, name): None for origin in sorted(origins - {name})})
            watch.inside += 1

        return hook

    def leave(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _args: Any, _kwargs: Any, out: Any) -> None:
            watch.inside -= 1
            shapes.setdefault(name, _shape(out))
            watch.mark(out, frozenset({name}))

        return hook

    handles = []
    for name, module in parts.items():
        handles.append(module.register_forward_pre_hook(enter(name), with_kwargs=True))
        handles.append(module.register_forward_hook(leave(name), with_kwargs=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _parts(translator: nn.Module, most: int) -> dict[str, nn.Module]:
    """Parts to draw, by their path; none lies inside another."""
    parts = dict(translator.named_children())
    while len(parts) == 1 and not _is_plain(next(iter(parts.values()))):  # a mere wrapper
        name, only = next(iter(parts.items()))
        parts = {f"{name}.{child}": part for child, part in only.named_children()}
    while True:
        closed = {name: part for name, part in parts.items() if _worth_opening(part)}
        lists = [name for name, part in closed.items() if isinstance(part, nn.ModuleList)]
        by_size = sorted(closed, key=lambda name: -_parameters(closed[name]))
        for name in [*lists, *by_size]:
            opened = {f"{name}.{child}": part for child, part in parts[name].named_children()}
            if name in lists or len(parts) - 1 + len(opened) <= most:
                break
        else:
            return parts
        parts = {
            path: part
            for old, was in parts.items()
            for path, part in (opened.items() if old == name else [(old, was)])
        }


def _is_plain(part: nn.Module) -> bool:
    return not any(part.children())


def _worth_opening(part: nn.Module) -> bool:
    """Whether a part is drawn by its children: a list has no forward pass; plain layers stay together."""
    children = list(part.children())
    inner = sum(any(child.children()) for child in children)
    return isinstance(part, nn.ModuleList) or (inner > 0 and (len(children) > 1 or inner > 1))


def _mermaid(
    parts: Mapping[str, nn.Module],
    shapes: Mapping[str, str],
    edges: Iterable[tuple[str, str]],
    *,
    inputs: Sequence[str],
) -> str:
    """Source of the flowchart; parts that the forward pass did not call are left out."""
    lines = ["flowchart TD"]
    lines += [f'  {_id(name)}(["{name}<br>{shapes[name]}"])' for name in inputs]
    for name in shapes:
        if name in parts:
            kind = _kind(parts[name])
            lines.append(f'  {_id(name)}["{name}<br>{kind}<br>{shapes[name]}"]')
    lines.append(f'  output(["output<br>{shapes["output"]}"])')
    lines += [f"  {_id(origin)} --> {_id(name)}" for origin, name in edges]
    return "\n".join(lines) + "\n"


def _kind(part: nn.Module) -> str:
    """Class of a part; convolutions with kernel and stride, containers with the classes inside."""
    name = type(part).__name__
    if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
        kernel, stride = (part.kernel_size[0], part.stride[0])
        return f"{name} {kernel}×{kernel}" + (f", stride {stride}" if stride != 1 else "")
    if isinstance(part, nn.Sequential):
        return ", ".join(type(child).__name__ for child in part) or name
    return name


def _id(name: str) -> str:
    return name.replace(".", "_")


def _shape(value: Any) -> str:
    """Shape of the first tensor, without the batch."""
    first = next(iter(_tensors(value)), None)
    return "" if first is None else "×".join(str(side) for side in first.shape[1:])


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)
