"""Left and right change places."""

from __future__ import annotations

from PIL import Image as Pillow
from tests.pictures import film, pillow, scene
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential


def test_left_and_right_change_places() -> None:
    for whole in (picture(scene()), sequential(scene())):
        made = apply("flop", whole)
        assert (
            bytes(made.image.write_to_memory()) == pillow(scene()).transpose(Pillow.Transpose.FLIP_LEFT_RIGHT).tobytes()
        )


def test_frames_stay_in_their_order() -> None:
    whole = picture(film(), frames=3)
    for before, after in zip(whole.split(), apply("flop", whole).split(), strict=True):
        assert mean_difference(before.fliphor(), after) == 0


def test_what_was_shrunk_on_load_keeps_the_size_it_stands_for() -> None:
    assert apply("flop", picture(scene(), shrunk_from=(320, 240))).full == (320, 240)
