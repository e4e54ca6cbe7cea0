"""The linter: no colours, no lamps, no weather but the data set's own, in any spelling."""

import pytest

from thermochroma.base.errors import BadInput
from thermochroma.contract.dataset import dataset_names, load_dataset
from thermochroma.data.captioning.leak_linter import refuse_colour_words, refuse_weather

COLOURED = [
    "a red car",
    "Greyish road",
    "two reds and a BLUE",
    "gray houses",
    "a grayish-white van",
    "bluish haze",
    "reddish bricks",
    "red-brick houses",
    "a darkgreen hedge",
    "light-blue doors",
    "off-white walls",
    "purple and purplish things",
    "golden leaves",
    "a silvery roof",
    "whiter than the rest",
    "reddened leaves",
    "whitened walls",
    "navy coats",
    "an olive jacket",
    "khaki and beige clothes",
    "a blonde woman",
    "blacks and whites",
    "a colourful market",
    "a colorful market",
    "discolored stone",
    "multi-coloured flags",
    "earthy hues",
    "tinted windows",
    "a monochrome picture",
    "a greyscale picture",
    "a gray-scale image",
    "sepia tones",
]
BRIGHT = [
    "a bright sky",
    "a dark sky",
    "the sky is darker",
    "brightly painted",
    "darkness ahead",
    "pale walls",
    "dimly seen",
    "a glowing sign",
    "shiny cars",
    "a gloomy street",
]
LIGHTS = [
    "traffic lights ahead",
    "a traffic-light",
    "a stoplight",
    "tail lights",
    "taillights",
    "brake lamps",
    "headlight",
    "a street light",
    "a streetlamp",
    "lamp posts",
    "a lamppost",
    "turn signals",
    "a railway signal",
    "neon letters",
    "a lit window",
    "an illuminated shop",
    "lights in the distance",
]
WEATHER = [
    "a sunny street",
    "sunlit walls",
    "in the sunshine",
    "a rainy day",
    "raining",
    "snow-covered roofs",
    "snowy trees",
    "fog over the road",
    "a foggy road",
    "misty fields",
    "haze",
    "overcast sky",
    "a cloudy day",
    "clouds above",
    "a clear sky",
    "clear skies",
    "stormy weather",
    "wet asphalt",
    "icy road",
]


@pytest.mark.parametrize("text", COLOURED + BRIGHT + LIGHTS)
def test_what_only_the_visible_image_tells_is_refused(text: str) -> None:
    for variant in (text, text.upper(), f"a street, {text}."):
        with pytest.raises(BadInput, match=r"here says `.*mention no colours, lights or weather"):
            refuse_colour_words(variant, where="here")


@pytest.mark.parametrize("text", WEATHER)
def test_weather_is_refused_unless_the_data_set_tells_it(text: str) -> None:
    for known in ("", "a street with trees"):
        with pytest.raises(BadInput, match="here says"):
            refuse_weather(f"a street, {text}", where="here", known=known)
    refuse_weather(f"a street, {text}", where="here", known=f"a street, {text.upper()}")


def test_one_known_kind_of_weather_excuses_no_other() -> None:
    with pytest.raises(BadInput, match="says `rainy`"):
        refuse_weather("overcast sky, a rainy road", where="here", known="overcast sky")
    with pytest.raises(BadInput, match="says `sun`"):
        refuse_weather("the sun", where="here", known="a sunny road")


@pytest.mark.parametrize(
    "text",
    [
        "a hundred cars",
        "shredded leaves",
        "an evergreen",
        "a greenhouse and a blackboard",
        "tanks and tankers",
        "light traffic, no pedestrians",
        "a lighthouse",
        "limestone walls",
        "goldsmiths",
        "a windscreen, open sky",
        "hot engine, cold windows, shadows",
        "a road that winds and dimples",
        "the train is covered",
        "",
    ],
)
def test_innocent_words_pass(text: str) -> None:
    refuse_colour_words(text, where="here")
    refuse_weather(text, where="here", known="")


def test_long_sentences_are_refused() -> None:
    with pytest.raises(BadInput, match="has 41 words"):
        refuse_colour_words(" ".join(["word"] * 41), where="here")


@pytest.mark.parametrize("name", dataset_names())
def test_what_a_data_set_is_called_tells_no_colours(name: str) -> None:
    refuse_colour_words(load_dataset(name).title, where=name)
