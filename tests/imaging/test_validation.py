"""From what a request says to parameters: what is read, and messages that name field, expectation and what came."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from features import CATALOGUE
from imaging import Feature, InvalidParameter, Output, Params
from imaging.params.model import hint
from imaging.params.types import Color, CropPosition, Length, Ratio
from imaging.params.validation import check, fields, main_field, spellings


class Every(Params):
    """One field of every kind."""

    whole: Annotated[int, Meta(ge=0, le=9, description="Some", extra=hint(main=True, aliases=("count",)))] = 1
    number: Annotated[float, Meta(gt=0, lt=2, extra=hint(unit="px"))] = 1.0
    least: Annotated[float, Meta(ge=3)] | None = None
    optional: Annotated[int, Meta(le=5, description="Few")] | None = None
    switch: bool = False
    maybe: bool | None = None
    choice: Annotated[Literal["one", "two"], Meta(extra=hint(synonyms={"uno": "one"}))] = "one"
    word: Annotated[str, Meta(min_length=1, max_length=3)] | None = None
    many_words: tuple[float, ...] = ()
    nested: tuple[tuple[float, ...], ...] = ()
    color: Color = Color(0, 0, 0)
    length: Length | None = None
    position: CropPosition = CropPosition("center")
    ratio: Ratio | None = None

    def check(self) -> None:
        if self.whole == 7 and self.switch:
            raise InvalidParameter("every.whole", "other than 7 with a switch", self.whole)


class Needy(Params):
    """Cannot do without."""

    key: str


class Bare(Params):
    """Knows nothing."""


@pytest.mark.parametrize(
    ("said", "name", "value"),
    [
        ({"whole": "3"}, "whole", 3),
        ({"count": "3"}, "whole", 3),
        ({"number": "1.5"}, "number", 1.5),
        ({"number": "1"}, "number", 1.0),
        ({"optional": ""}, "optional", None),
        ({"least": ""}, "least", None),
        ({"switch": "true"}, "switch", True),
        ({"switch": "1"}, "switch", True),
        ({"switch": "YES"}, "switch", True),
        ({"switch": "off"}, "switch", False),
        ({"switch": ""}, "switch", False),
        ({"maybe": "no"}, "maybe", False),
        ({"choice": "UNO"}, "choice", "one"),
        ({"choice": "two"}, "choice", "two"),
        ({"word": "null"[:3]}, "word", "nul"),
        ({"color": "f80"}, "color", Color(255, 136, 0)),
        ({"length": "5p"}, "length", Length(5, True)),
        ({"length": ""}, "length", None),
        ({"position": "north"}, "position", "top"),
        ({"ratio": "1:2"}, "ratio", 0.5),
    ],
)
def test_words_of_a_url_are_read(said: dict[str, str], name: str, value: object) -> None:
    assert getattr(check(Every, said, text=True), name) == value


@pytest.mark.parametrize(
    ("said", "name", "value"),
    [
        ({"whole": 3}, "whole", 3),
        ({"number": 1}, "number", 1.0),
        ({"optional": None}, "optional", None),
        ({"switch": True}, "switch", True),
        ({"manyWords": [1, 2.5]}, "many_words", (1.0, 2.5)),
        ({"color": {"r": 1, "g": 2, "b": 3}}, "color", Color(1, 2, 3)),
        ({"length": 5}, "length", Length(5)),
        ({"ratio": 0.5}, "ratio", 0.5),
    ],
)
def test_values_of_json_are_read(said: dict[str, object], name: str, value: object) -> None:
    assert getattr(check(Every, said), name) == value


TOLD = [
    ({"whole": "10"}, "`every.whole` must be a whole number from 0 to 9, got '10'"),
    ({"count": "ten"}, "`every.whole` must be a whole number from 0 to 9, got 'ten'"),
    ({"whole": ""}, "`every.whole` must be a whole number from 0 to 9, got ''"),
    ({"whole": "1.5"}, "`every.whole` must be a whole number from 0 to 9, got '1.5'"),
    ({"number": "0"}, "`every.number` must be a number above 0 below 2, got '0'"),
    ({"number": "nan"}, "`every.number` must be a number above 0 below 2, got 'nan'"),
    ({"least": "2"}, "`every.least` must be a number of at least 3, got '2'"),
    ({"least": "inf"}, "`every.least` must be a finite number, got inf"),
    ({"least": "null"}, "`every.least` must be a number of at least 3, got 'null'"),
    ({"optional": "NULL"}, "`every.optional` must be a whole number of at most 5, got 'NULL'"),
    ({"optional": "6"}, "`every.optional` must be a whole number of at most 5, got '6'"),
    ({"switch": "maybe"}, "`every.switch` must be true or false, got 'maybe'"),
    ({"maybe": "2"}, "`every.maybe` must be true or false, got '2'"),
    ({"choice": "three"}, "`every.choice` must be one of one, two, got 'three'"),
    ({"word": "long"}, "`every.word` must be text of 1 to 3 characters, got 'long'"),
    ({"color": "reddish"}, f"`every.color` must be {Color.expected}, got 'reddish'"),
    ({"length": "five"}, f"`every.length` must be {Length.expected}, got 'five'"),
    ({"ratio": "0"}, f"`every.ratio` must be {Ratio.expected}, got '0'"),
    ({"whole": "7", "switch": "on"}, "`every.whole` must be other than 7 with a switch, got 7"),
    ({"whole": "1", "count": "2"}, "`every.whole` must be given once, not also under another name, got '2'"),
    ({"whole": "1" * 80}, "`every.whole` must be a whole number from 0 to 9, got '" + "1" * 58 + "…"),
]


@pytest.mark.parametrize(("said", "message"), TOLD)
def test_a_refusal_says_field_expected_and_got(said: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        check(Every, said, text=True, where="every")
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"whole": "3"}, "`whole` must be a whole number from 0 to 9, got '3'"),
        ({"whole": True}, "`whole` must be a whole number from 0 to 9, got true"),
        ({"whole": None}, "`whole` must be a whole number from 0 to 9, got nothing"),
        ({"whole": 10**400}, "`whole` must be a whole number from 0 to 9, got "),
        ({"switch": 1}, "`switch` must be true or false, got 1"),
        ({"choice": 5}, "`choice` must be one of one, two, got 5"),
        ({"color": 5}, f"`color` must be {Color.expected}, got 5"),
        ({"manyWords": [1, "2"]}, "`manyWords[1]` must be float, got [1, '2']"),
        ({"nested": [[float("nan")]]}, "`nested` must be a finite number, got "),
        ({"manyWords": 5}, "`manyWords` must be array, got 5"),
    ],
)
def test_json_is_taken_at_its_word(said: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        check(Every, said)
    assert refused.value.message.startswith(message)


def test_what_is_unknown_or_missing_is_named() -> None:
    with pytest.raises(
        InvalidParameter,
        match=r"^`every\.wohle` must be a known parameter \(whole, number, .*\), perhaps `whole`, got '1'$",
    ):
        check(Every, {"wohle": "1"}, text=True, where="every")
    with pytest.raises(InvalidParameter, match=r"^`bare\.x` must be left out: no parameters here, got 1$"):
        check(Bare, {"x": 1}, where="bare")
    with pytest.raises(InvalidParameter, match=r"^`needy\.key` must be given, got nothing$"):
        check(Needy, {}, where="needy")


def test_what_is_known_of_a_field() -> None:
    known = fields(Every)
    assert known["whole"].description == "Some"
    assert known["optional"].description == "Few"
    assert known["number"].unit == "px"
    assert known["manyWords"].default == ()
    assert known["choice"].choices == ("one", "two")
    assert [name for name, field in known.items() if field.boolean] == ["switch", "maybe"]
    assert [name for name, field in known.items() if field.optional] == [
        "least", "optional", "maybe", "word", "length", "ratio",
    ]  # fmt: skip
    assert (Every().maybe, Every().many_words, Every().nested) == (None, (), ())
    assert known["whole"].bounds == {"ge": 0, "le": 9}
    assert spellings(Every)["count"] is known["whole"]
    main = main_field(Every)
    assert main is not None
    assert main.name == "whole"
    assert main_field(Bare) is None


MODELS: list[Any] = [Every, Output, *(feature.params for feature in CATALOGUE)]


@pytest.mark.parametrize("model", MODELS)
def test_every_field_says_what_it_expects(model: type[Params]) -> None:
    for field in fields(model).values():
        assert field.expected or field.kinds[0] not in (int, float, str, bool)
        assert model is Every or field.description, f"{model.__name__}.{field.name} has no description"


@pytest.mark.parametrize("feature", CATALOGUE, ids=lambda feature: feature.name)
def test_names_of_a_feature_are_told_apart(feature: Feature) -> None:
    every = [name for field in fields(feature.params).values() for name in (field.name, *field.aliases)]
    assert len(every) == len(set(every))
    assert feature.help.endswith(".")


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["null", "NaN", "1e400", "-1", "0x1", "١", "true", "red", "50p", "16:9", "0.5,0.5", 10**400]),
    st.lists(st.one_of(st.integers(), st.floats(), st.text(max_size=3)), max_size=3),
    st.dictionaries(st.sampled_from(["r", "x"]), st.integers(), max_size=2),
)  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
@given(data=st.data())
def test_whatever_is_said_is_read_or_refused_by_name(model: type[Params], data: st.DataObject) -> None:
    names = st.sampled_from([*spellings(model), "unknown"])
    text = data.draw(st.booleans(), label="text")
    values = VALUES.map(str) if text else VALUES
    said = data.draw(st.dictionaries(names, values, max_size=4), label="said")
    refusal = None
    try:
        check(model, said, text=text, where="feature")
    except InvalidParameter as refused:
        refusal = refused
    if refusal:
        assert refusal.name.isprintable()
        assert refusal.expected
        assert len(refusal.message) < 600


_RACE = """
import sys, threading
from typing import Annotated
from msgspec import Meta
from imaging import Params
from imaging.params.validation import check

def fresh():
    class Fresh(Params):
        \"\"\"What msgspec has not seen.\"\"\"
        one: Annotated[int, Meta(ge=0)] = 1
        two: Annotated[float, Meta(ge=0)] = 1.0
        three: Annotated[int, Meta(le=9)] | None = None
    return Fresh

def use(model, together):
    together.wait()
    assert check(model, {"one": 2}).one == 2

sys.setswitchinterval(1e-6)
for _ in range(100):
    model, together = fresh(), threading.Barrier(4)
    threads = [threading.Thread(target=use, args=(model, together)) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
"""


def test_threads_that_use_a_model_first_at_once_do_not_crash_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", _RACE], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
