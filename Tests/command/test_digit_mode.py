"""MNIST's digits as 28x28 PNGs come through digit mode as they went in: at most 0.3 points more digit errors."""
from conftest import ok, ok_json


def test_png_digits_are_read_as_well_as_arrays(tmp_path):
    ok("export", "--to-png", tmp_path / "png", "--split", "test")
    # All 2,500 digits of the bundled sample's test split, whichever way they are paired.
    through_png = ok_json("evaluate", "--pairs", 1250, "--data", tmp_path / "png")["digit_error"]
    assert through_png <= ok_json("evaluate", "--pairs", 1250)["digit_error"] + 0.003
