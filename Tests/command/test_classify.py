import os
import shutil
import subprocess

import pytest

from conftest import COMMAND, PICTURES, fails, ok, ok_json, run, write_png

SEVEN, FOUR = PICTURES / "paper-7.png", PICTURES / "paper-4.png"


def test_answer(model):
    line = ok("classify", SEVEN, FOUR, "--model", model)
    assert line.startswith("7 > 4   P(first <= second) 0.")
    assert line.count("\n") == 1
    assert ok("classify", FOUR, SEVEN, "--model", model).startswith("4 <= 7 ")


def test_json(model):
    answer = ok_json("classify", SEVEN, FOUR, "--model", model)
    assert set(answer) == {"first", "second", "probability", "marginal", "less_or_equal", "agrees"}
    assert answer["first"]["digit"] == 7 and answer["second"]["digit"] == 4
    assert answer["first"]["file"] == str(SEVEN)
    assert 0.1 < answer["first"]["confidence"] <= 1
    assert answer["less_or_equal"] is False and answer["agrees"] is True
    assert 0 <= answer["probability"] < 0.5 and 0 <= answer["marginal"] < 0.5


def test_built_in_model():
    assert ok_json("classify", SEVEN, FOUR)["less_or_equal"] is False


def test_views(model):
    one, five = (ok_json("classify", SEVEN, FOUR, "--model", model, "--views", views) for views in (1, 5))
    assert one == ok_json("classify", SEVEN, FOUR, "--model", model) and one["probability"] != five["probability"]
    assert "--views is 2, but must be 1, 5 or 9" in fails("classify", SEVEN, FOUR, "--views", 2, status=64)


@pytest.mark.parametrize("picture", sorted(PICTURES.glob("*.png")), ids=lambda p: p.stem)
def test_pictures(picture, model):
    answer = ok_json("classify", picture, picture, "--model", model)
    assert answer["first"]["digit"] == int(picture.stem[-1])


def test_path_with_spaces_and_other_letters(tmp_path, model):
    copy = tmp_path / "a séven .png"
    shutil.copy(SEVEN, copy)
    assert ok_json("classify", copy, FOUR, "--model", model)["first"]["file"] == str(copy)


def test_image_from_a_pipe(model):
    result = subprocess.run([COMMAND, "classify", "/dev/stdin", FOUR, "--model", model], input=SEVEN.read_bytes(),
                            capture_output=True)
    assert result.returncode == 0 and result.stdout.startswith(b"7 > 4")


# MARK: lists

def test_list(tmp_path, model):
    spaced = tmp_path / "the seven.png"
    shutil.copy(SEVEN, spaced)
    listing = tmp_path / "pairs.txt"
    listing.write_text(f"# a comment\n\n{SEVEN} {FOUR}\r\n{spaced}\t{FOUR}\n{FOUR}   {SEVEN}")
    lines = ok("classify", "--pairs-file", listing, "--model", model).splitlines()
    assert [line.split(": ")[1].split("   ")[0] for line in lines] == ["7 > 4", "7 > 4", "4 <= 7"]
    assert lines[1].startswith(f"{spaced} {FOUR}: ")


def test_list_from_stdin_as_json_lines(model):
    import json
    text = ok("classify", "--pairs-file", "-", "--json", "--model", model, input=f"{SEVEN} {FOUR}\n\n{FOUR} {SEVEN}\n")
    answers = [json.loads(line) for line in text.splitlines()]
    assert [a["line"] for a in answers] == [1, 3]
    assert [a["less_or_equal"] for a in answers] == [False, True]


def test_stdin_is_answered_line_by_line(model):
    with subprocess.Popen([COMMAND, "classify", "--pairs-file", "-", "--model", model], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        process.stdin.write(f"{SEVEN} {FOUR}\n")
        process.stdin.flush()
        assert "7 > 4" in process.stdout.readline()  # before stdin ends
        process.stdin.close()
        assert process.wait(60) == 0


def test_list_goes_on_after_a_failure(tmp_path, model):
    listing = tmp_path / "pairs"
    listing.write_text(f"missing.png {FOUR}\none\n{SEVEN} {FOUR}\n")
    result = run("classify", "--pairs-file", listing, "--model", model)
    assert result.returncode == 1
    assert result.stdout.count("\n") == 1 and "7 > 4" in result.stdout
    first, second = result.stderr.splitlines()
    assert first.startswith(f"diptych: error: {listing}:1: missing.png: ")
    assert second.startswith(f"diptych: error: {listing}:2: expected two paths, but found 1")


def test_closed_pipe_ends_quietly(tmp_path, model):
    listing = tmp_path / "pairs"
    listing.write_text(f"{SEVEN} {FOUR}\n" * 2000)
    script = f'"{COMMAND}" classify --pairs-file "{listing}" --model "{model}" | head -n 1'
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert result.stdout.count("\n") == 1 and result.stderr == ""


# MARK: preview

def preview(text):
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 14 and all(len(row) == 2 * 30 + 2 for row in rows)
    return "".join(rows)


@pytest.mark.parametrize("locale, ink", [("C", "#"), ("C.UTF-8", "█")])
def test_show(locale, ink, model):
    text = ok("classify", "--show", SEVEN, FOUR, "--model", model, encoding="utf-8", env={**os.environ, "LC_ALL": locale})
    drawn = preview(text)
    assert ink in drawn and drawn.isascii() == (locale == "C")


def test_show_leaves_json_alone(model):
    result = run("classify", "--show", "--json", SEVEN, FOUR, "--model", model)
    assert result.stdout.startswith("{") and result.stdout.count("\n") == 1
    preview(result.stderr)


# MARK: errors

def test_missing_file(model):
    assert fails("classify", "no such.png", FOUR, "--model", model).startswith("diptych: error: no such.png: ")


def test_not_a_png(tmp_path, model):
    (tmp_path / "x.png").write_text("hello, this is no picture")
    error = fails("classify", tmp_path / "x.png", FOUR, "--model", model)
    assert str(tmp_path / "x.png") in error and "not a PNG" in error and "convert it" in error


def test_truncated_png(tmp_path, model):
    (tmp_path / "x.png").write_bytes(SEVEN.read_bytes()[:3000])
    assert "cut off" in fails("classify", tmp_path / "x.png", FOUR, "--model", model)


def test_blank_image(tmp_path, model):
    blank = tmp_path / "blank.png"
    write_png(blank, [[255] * 40] * 40)
    error = fails("classify", blank, FOUR, "--model", model)
    assert str(blank) in error and "no ink" in error and "--mode plain" in error
    ok("classify", blank, FOUR, "--mode", "plain", "--model", model)


def test_too_large_image(tmp_path, model):
    write_png(tmp_path / "wide.png", [[255] * 5000])
    assert "4096" in fails("classify", tmp_path / "wide.png", FOUR, "--model", model)


def test_corrupt_model(tmp_path, model):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(model.read_bytes()[:-5])
    assert fails("classify", SEVEN, FOUR, "--model", broken).startswith(f"diptych: error: {broken}: ")
    broken.write_text("no model")
    assert "not a safetensors file" in fails("classify", SEVEN, FOUR, "--model", broken)
    assert "no such file" in fails("classify", SEVEN, FOUR, "--model", tmp_path / "none")


@pytest.mark.parametrize("arguments", [[], ["a.png"], ["a.png", "b.png", "c.png"], ["a.png", "b.png", "--pairs-file", "x"],
                                       ["a.png", "b.png", "--mode", "photo"], ["a.png", "b.png", "--background", "256"],
                                       ["a.png", "b.png", "--unknown"]])
def test_wrong_usage(arguments):
    fails("classify", *arguments, status=64)


def test_wrong_name_lists_the_right_ones():
    error = fails("classify", "a", "b", "--polarity", "red", status=64)
    assert all(name in error for name in ("auto", "dark-ink", "light-ink"))


def test_polarity_decides_what_ink_is(tmp_path, model):
    """A white seven on black, which the wrong polarity turns into something else."""
    board = PICTURES / "board-9.png"
    assert ok_json("classify", board, board, "--model", model, "--polarity", "light-ink")["first"]["digit"] == 9
    wrong = run("classify", board, board, "--model", model, "--polarity", "dark-ink", "--json")
    right = run("classify", board, board, "--model", model, "--json")
    assert wrong.stdout != right.stdout
