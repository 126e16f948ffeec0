from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from restora.core.errors import FileProblem, InvalidParameter, UnknownName
from restora.core.reading import from_table, read_toml


@dataclass(frozen=True)
class Inner:
    side: int = 3
    lam: float = field(default=0.5, metadata={"key": "lambda"})

    def __post_init__(self):
        if self.side < 1:
            raise InvalidParameter.outside("side", self.side, ">= 1")


@dataclass(frozen=True)
class Outer:
    name: str
    mode: Literal["a", "b", 2] = "a"
    sides: tuple[float, ...] = ()
    window: tuple[int, str] = (1, "x")
    inner: Inner = Inner()
    perhaps: Inner | None = None
    many: tuple[Inner, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    plain: bool | int | float | str | tuple[Any, ...] = ""
    open: Mapping[str, object] = field(default_factory=dict)


def read(**table):
    return from_table(Outer, {"name": "n", **table}, "f.toml")


def test_what_is_given_has_the_types_of_the_fields():
    found = read(
        mode="b",
        sides=[1, 2.5],
        window=[4, "y"],
        inner={"side": 7, "lambda": 1},
        perhaps={},
        many=[{"side": 1}, {}],
        weights={"l1": 1},
        open={"a": [1, [2]], "b": {"c": [3]}},
    )
    assert found == Outer(
        "n",
        "b",
        (1.0, 2.5),
        (4, "y"),
        Inner(7, 1.0),
        Inner(),
        (Inner(1), Inner()),
        {"l1": 1.0},
        open={"a": [1, [2]], "b": {"c": [3]}},
    )
    assert [type(value) for value in (*found.sides, found.inner.lam, found.weights["l1"])] == [float] * 4
    assert read() == read(perhaps=None) == Outer("n")


@pytest.mark.parametrize("value", [True, 3, 2.5, "s", (1, (2.5, "t"))])
def test_a_union_keeps_the_type_of_the_value(value):
    found = read(plain=value).plain
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("table", "error", "says"),
    [
        ({"nane": 1}, UnknownName, r"f\.toml: there is no field 'nane'; did you mean name"),
        ({"inner": {"sids": 1}}, UnknownName, r"f\.toml: there is no field 'inner\.sids'; did you mean inner\.side"),
        ({"perhaps": {"lam": 1}}, UnknownName, r"perhaps\.lam"),
        ({"many": [{}, {"side": "x"}]}, InvalidParameter, r"many\[1\]\.side = 'x' .* an integer"),
        ({"inner": {"side": True}}, InvalidParameter, r"inner\.side = True"),
        ({"inner": {"side": 1.0}}, InvalidParameter, r"inner\.side = 1\.0"),
        ({"inner": {"lambda": False}}, InvalidParameter, r"inner\.lambda = False .* a number"),
        ({"inner": {"side": 0}}, InvalidParameter, r"f\.toml: inner: side = 0 is not allowed: side must be >= 1"),
        ({"inner": 3}, InvalidParameter, r"inner = 3 .* a table"),
        ({"perhaps": 3}, InvalidParameter, r"perhaps = 3 .* a table or nothing"),
        ({"mode": "c"}, InvalidParameter, r"mode = 'c' .* one of a, b, 2"),
        ({"mode": 2.0}, InvalidParameter, r"mode = 2\.0"),
        ({"sides": 3}, InvalidParameter, r"sides = 3 .* a list"),
        ({"sides": [1, "x"]}, InvalidParameter, r"sides\[1\] = 'x'"),
        ({"window": [1]}, InvalidParameter, r"window = \[1\] .* a list of 2"),
        ({"weights": {"l1": "much"}}, InvalidParameter, r"weights\.l1 = 'much'"),
        ({"name": 3}, InvalidParameter, r"name = 3 .* a string"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(table, error, says):
    with pytest.raises(error, match=says) as refused:
        read(**table)
    assert "\n" not in str(refused.value)


def test_what_has_no_default_must_be_there():
    with pytest.raises(InvalidParameter, match=r"^f\.toml: the field name is missing$"):
        from_table(Outer, {}, "f.toml")


def test_files_that_are_no_toml(tmp_path):
    path = tmp_path / "a.toml"
    with pytest.raises(FileProblem, match=r"a\.toml cannot be read: no such file"):
        read_toml(path)
    for data, says in ((b"a = ", "is not TOML"), (b'a = "\xff"', "is not TOML")):
        path.write_bytes(data)
        with pytest.raises(FileProblem, match=says):
            read_toml(path)
    path.write_bytes(b"a = 1")
    assert read_toml(path) == {"a": 1}
