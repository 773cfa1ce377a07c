"""Charts of the training data."""

from api_models import (
    ClassAppearance,
    CopyCount,
    Count,
    FruitFreshness,
    Point,
    Quantiles,
    Size,
    View,
)
from charts.appearance import appearance_by_class, size_bubbles
from charts.insights import (
    class_balance,
    copy_bars,
    embedding_map,
    fresh_against_rotten,
    score_strip,
)
from charts.style import class_style


def count(name: str, split: str, examples: int) -> Count:
    row = {"class_name": name, "split": split, "origin": "upload", "examples": examples}
    return Count.model_validate(row)


def point(name: str, image_id: str | None = None) -> Point:
    values = {"x": 0, "y": 1, "class_name": name, "split": "train", "origin": "upload"}
    return Point.model_validate({**values, "photograph": name, "image_id": image_id})


def test_largest_class_is_on_top_and_bars_are_stacked_by_split() -> None:
    rows = [count("mango", "train", 3), count("kiwi", "train", 4), count("kiwi", "test", 2)]
    figure = class_balance(rows)

    learned, tuned, measured = figure.data
    assert learned.y == ("kiwi", "mango")
    assert (learned.x, tuned.x, measured.x) == ((4, 3), (0, 0), (2, 0))
    assert figure.layout.yaxis.ticktext == ("Kiwi", "Mango")
    assert [note.text.strip() for note in figure.layout.annotations] == ["6", "3"]


def test_fresh_and_rotten_share_each_bar() -> None:
    fruits = [FruitFreshness(fruit="apple", fresh=3, rotten=0)]
    fresh, rotten = fresh_against_rotten(3, 1, fruits).data

    assert fresh.y == ("Everything", "Apple")
    assert (fresh.x, rotten.x) == ((0.75, 1.0), (0.25, 0.0))
    assert rotten.text == ("1", "0")


def test_box_shows_the_quantiles_of_its_class() -> None:
    spread = Quantiles(p5=0.1, p25=0.25, p50=0.5, p75=0.75, p95=1)
    degrees = Quantiles(p5=-10, p25=5, p50=10, p75=20, p95=40)
    classes = [
        ClassAppearance(
            class_name=name, examples=9, brightness=spread, saturation=spread, hue=degrees
        )
        for name in ("freshapples", "rottenapples")
    ]
    fresh, rotten = appearance_by_class(classes, "brightness").data
    assert (fresh.lowerfence, fresh.q1, fresh.median, fresh.q3, fresh.upperfence) == (
        (10,),
        (25,),
        (50,),
        (75,),
        (100,),
    )
    assert (fresh.line.color, rotten.line.color) == (
        class_style("freshapples").colour,
        class_style("rottenapples").colour,
    )
    assert appearance_by_class(classes, "hue").data[0].q1 == (5,)
    # The colour is the class's, not that of its photos.
    assert appearance_by_class(classes, "hue").data[1].line.color == rotten.line.color


def test_more_photos_make_a_larger_dot() -> None:
    sizes = [Size(width=100, height=50, examples=1), Size(width=200, height=100, examples=50)]
    photos, network = size_bubbles(sizes, 160).data

    assert photos.marker.size[0] < photos.marker.size[1]
    assert (network.x, network.y) == ((160,), (160,))


def test_photos_are_counted_by_number_of_copies() -> None:
    [bars] = copy_bars(
        [CopyCount(copies=1, photographs=5), CopyCount(copies=9, photographs=2)]
    ).data

    assert (bars.x, bars.y) == (("1", "9"), (5, 2))


def test_each_view_is_a_dot_on_the_strip() -> None:
    view = View(picture="data:", predicted_class="freshapples", confidence=1, freshness_score=0.9)
    unscored = View(picture="data:", predicted_class="mango", confidence=1)
    views, original = score_strip(view, [view, unscored, view]).data

    assert (views.x, original.x) == ((90, 90), (90,))


def test_map_dots_refer_to_their_point_and_those_with_a_photo_are_on_top() -> None:
    points = [point("mango", "a"), point("kiwi"), point("mango")]
    kiwi, mango, with_photo = embedding_map(points).data

    assert (kiwi.customdata, mango.customdata, with_photo.customdata) == ((1,), (2,), (0,))
    assert mango.marker.size < with_photo.marker.size
    assert [dots.name for dots in (kiwi, mango, with_photo)] == ["Kiwi", "Mango", "Mango"]
    assert [dots.showlegend for dots in (kiwi, mango, with_photo)] == [True, True, False]


def test_many_classes_have_different_markers() -> None:
    figure = embedding_map([point(f"fruit {n}") for n in range(20)])

    assert len({(dots.marker.color, dots.marker.symbol) for dots in figure.data}) == 20


def test_no_data_makes_an_empty_chart() -> None:
    for figure in (
        class_balance([]),
        appearance_by_class([], "hue"),
        size_bubbles([], 160),
        copy_bars([]),
        embedding_map([]),
    ):
        assert figure.layout.height > 0
