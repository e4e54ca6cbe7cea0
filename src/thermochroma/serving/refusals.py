"""Sentences with which images in files and in videos are refused alike."""

from thermochroma.base.errors import BadInput


def false_colours(given: str) -> BadInput:
    """Error for colours where heat is expected, with the ways out."""
    return BadInput(
        given=given,
        needed="heat as grey: a palette's colours do not tell it",
        remedy="of an image in false colours, give one of three: the image saved in white-hot grey, "
        "the camera's radiometric original, or its 16-bit counts; a visible image is not for this "
        "translator",
    )


def no_tone(name: str) -> BadInput:
    """Error for a sensor's values of which nobody says what is black and what white."""
    return BadInput(
        given=f"{name} holds more than 8 bits a pixel",
        needed="the counts, or temperatures, that become black and white: one rule for all images",
        remedy="name them, --tone 'window 7000 9000', or let them be found, --tone auto",
    )


def needless_tone(name: str) -> BadInput:
    """Error for a tone that is given for 8 bits."""
    return BadInput(
        given=f"{name} has 8 bits a pixel, and --tone is given",
        needed="a tone is for images of more than 8 bits",
        remedy="translate images of 8 bits by themselves, without --tone",
    )
