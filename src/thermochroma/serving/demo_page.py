"""Page of the demo, by Gradio: on loopback alone, without telemetry, and without a fetch from elsewhere."""

import html
import os
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from thermochroma.base.endings import of_the_machine
from thermochroma.base.errors import BadInput
from thermochroma.serving.arguments.translate import POLARITIES, TONES
from thermochroma.serving.demo import card_text, show, traits_in
from thermochroma.serving.options import InferenceOptions
from thermochroma.serving.video_files import is_video

EXTRA: Final = "demo"  # of pyproject.toml
HERE: Final = "127.0.0.1"
POLICY: Final = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'none'; "
    "form-action 'self'"
)
"""Rule for browsers: nothing is loaded for the page from another place."""
Message = MutableMapping[str, Any]
Models = dict[str, Path]


def library() -> Any:
    """The package that makes the page, told to report nothing. Raises BadInput if it is not installed."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    try:
        import gradio
    except ImportError:
        raise BadInput(
            given="the demo is asked for, and the package gradio is missing",
            needed="Gradio, which makes its page",
            remedy=f"`pip install 'thermochroma[{EXTRA}]'`",
        ) from None
    return gradio


def build(gradio: Any, models: Models, data: Path, folder: Path) -> Any:
    """Build the page. models: files to choose from, by name. folder: for what is made."""
    with gradio.Blocks(title="Thermochroma", analytics_enabled=False) as page:
        gradio.Markdown("# Thermochroma\nNothing leaves this machine.")
        with gradio.Row():
            with gradio.Column(scale=2):
                file = gradio.File(label="Image or video", elem_id="file")
                model = gradio.Dropdown([*models], value=next(iter(models)), label="Translator")
                wishes = _wishes(gradio)
                button = gradio.Button("Translate", variant="primary", elem_id="translate")
            with gradio.Column(scale=3):
                slider = gradio.ImageSlider(
                    label="What the translator sees | what it gives",
                    format="png",
                    interactive=False,
                    elem_id="slider",
                )
                video = gradio.Video(label="What it gives", visible=False, interactive=False)
                told = gradio.Markdown(elem_id="told")
                result = gradio.File(label="Result", visible=False, elem_id="result")
        with gradio.Accordion("Model card", open=True, elem_id="card"):
            card = gradio.Markdown()
        private: dict[str, Any] = {"api_visibility": "private"}
        chosen = partial(_on_choice, gradio, models)
        page.load(chosen, model, [*wishes, card], **private)
        model.change(chosen, model, [*wishes, card], **private)
        button.click(
            partial(_on_button, gradio, models, data, folder),
            [file, model, *wishes],
            [slider, video, told, result],
            concurrency_limit=1,
            **private,
        )
    return page


def serve(page: Any, port: int | None) -> str:
    """Serve the page; its address. Raises BadInput for a port that is taken."""
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    guards = [
        Middleware(TrustedHostMiddleware, allowed_hosts=[HERE, "localhost"]),
        Middleware(_OwnPlaceAlone),
    ]
    try:
        _, address, _ = page.launch(
            server_name=HERE,
            server_port=port,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            ssr_mode=False,
            enable_monitoring=False,
            footer_links=[],
            app_kwargs={"middleware": guards},
        )
    except OSError:
        raise BadInput(
            given="no port is free" if port is None else f"port {port} is taken, or forbidden",
            needed=f"a free port on {HERE}",
            remedy="name another one with --port",
        ) from None
    return str(address)


class _OwnPlaceAlone:
    """Adds the policy to all answers."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(
        self, scope: Message, receive: Any, send: Callable[[Message], Awaitable[None]]
    ) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = (b"content-security-policy", POLICY.encode())
                message["headers"] = [*message.get("headers", []), policy]
            await send(message)

        await self.app(scope, receive, guarded)


def _wishes(gradio: Any) -> list[Any]:
    """Fields beside file and translator, in the order in which `_on_button` takes them."""
    return [
        gradio.Textbox("auto", label="Tone, for images of more than 8 bits", info=TONES),
        gradio.Slider(0, 1, 0, step=0.05, label="Sharpness", info="0: least error; 1: sharpest"),
        gradio.Radio(list(POLARITIES), value=POLARITIES[0], label="Polarity"),
        gradio.Textbox("", label="Sentence", info="for translators that read; may be empty"),
        gradio.File(label="Reference: a visible image, for its colours"),
    ]


def _on_choice(gradio: Any, models: Models, name: str) -> list[Any]:
    """Show the fields that the chosen translator has a use for, and its card."""
    try:
        traits, card = traits_in(models[name]), card_text(models[name])
    except BadInput as problem:
        raise _told(gradio, problem, None) from None
    is_thermal = traits.spectrum == "thermal"
    used = [is_thermal, traits.is_tunable, is_thermal, traits.sees_text, traits.sees_references]
    return [*(gradio.update(visible=one) for one in used), card]


def _on_button(
    gradio: Any,
    models: Models,
    data: Path,
    folder: Path,
    *given: Any,
) -> list[Any]:
    """Translate the dropped file. given: it, the translator's name, and the fields of `_wishes`."""
    file, name, tone, sharpness, polarity, sentence, reference = given
    if file is None:
        raise gradio.Error("Drop an image or a video first.", title="", print_exception=False)
    path = Path(file)
    try:
        traits = traits_in(models[name])
        wishes = InferenceOptions(
            text=data / "weights/clip",
            sentence=(sentence or None) if traits.sees_text else None,
            reference=Path(reference) if traits.sees_references and reference else None,
            sharpness=float(sharpness) if traits.is_tunable else None,
            polarity=polarity if traits.spectrum == "thermal" else "guess",
        )
        shown = show(models[name], path, folder, tone=tone or "auto", wishes=wishes)
    except (BadInput, OSError, RuntimeError, MemoryError) as problem:
        raise _told(gradio, problem, path) from problem
    told = "\n".join(f"- {one}" for one in shown.told)
    pair = None if shown.seen is None else (str(shown.seen), str(shown.target))
    film = str(shown.target) if is_video(path) else None
    return [
        gradio.update(value=pair, visible=pair is not None),
        gradio.update(value=film, visible=film is not None),
        told,
        gradio.update(value=str(shown.target), visible=True),
    ]


def _told(gradio: Any, problem: Exception, path: Path | None) -> Exception:
    """Error that the page shows in a sentence; a fault of ours as it is."""
    known = problem if isinstance(problem, BadInput) else of_the_machine(problem, "try it again")
    if known is None:
        return problem
    text = str(known) if path is None else str(known).replace(f"{path.parent}{os.sep}", "")
    return gradio.Error(html.escape(text), duration=None, title="", print_exception=False)
