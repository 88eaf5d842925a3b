"""Model cards and the picture of importances."""

from xml.etree import ElementTree

from ml.cards import importance_svg, model_card, number


def test_the_picture_is_whole_svg_with_a_bar_for_each_feature() -> None:
    picture = importance_svg({"price": 0.5, "a < b": 0.25, "noise": -0.01})
    found = ElementTree.fromstring(picture)  # noqa: S314 - our own
    bars = found.findall("{http://www.w3.org/2000/svg}rect")[1:]
    assert [float(bar.attrib["width"]) for bar in bars] == [300.0, 150.0, 0.0]
    assert "+50.0%" in picture
    assert "a &lt; b" in picture


def test_the_card_tells_purpose_data_errors_features_and_parameters() -> None:
    card = model_card(
        "m", "What it is for.\n", {"rows": "5"}, {"wape": 0.78812, "rows": 1200.0}, {"price": 0.5}, {"seed": 0.0}
    )
    for line in ("# m", "What it is for.", "| rows | 5 |", "| wape | 0.7881 |", "| price | +50.0% |", "| seed | 0 |"):
        assert line in card.splitlines()


def test_figures_are_whole_where_they_can_be() -> None:
    assert (number(95_439.0), number(0.123456)) == ("95,439", "0.1235")
