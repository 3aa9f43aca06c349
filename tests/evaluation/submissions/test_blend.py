import csv

import pytest

from cleaning import InvalidInput
from evaluation.cli import main
from evaluation.submissions.blend import blend


def write(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def read(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


@pytest.fixture
def probabilities(tmp_path):
    """Two files about the same rows and classes, in different orders."""
    first = write(tmp_path / "a.csv", "file,cat,dog", "x.jpg,0.9,0.1", '"y,1.gif",0.2,0.8')
    second = write(tmp_path / "b.csv", "file,dog,cat", '"y,1.gif",0.4,0.6', "x.jpg,0.5,0.5")
    return [first, second]


def test_probabilities_are_averaged_by_name_and_never_by_position(probabilities, tmp_path):
    output = tmp_path / "mean.csv"
    assert blend(probabilities, output) == 2
    header, *rows = read(output)
    assert header == ["file", "cat", "dog"]
    assert [row[0] for row in rows] == ["x.jpg", "y,1.gif"]
    assert [float(cell) for cell in rows[0][1:]] == pytest.approx([0.7, 0.3])
    assert [float(cell) for cell in rows[1][1:]] == pytest.approx([0.4, 0.6])


def test_weights_and_categories(probabilities, tmp_path):
    output = tmp_path / "labels.csv"
    blend(probabilities, output, weights=[1, 4], form="categories")
    assert read(output) == [["file", "category"], ["x.jpg", "cat"], ["y,1.gif", "cat"]]
    blend(probabilities, output, form="categories")
    assert read(output)[2] == ["y,1.gif", "dog"]


def test_labels_are_voted_on_and_the_earliest_file_wins_a_tie(tmp_path):
    files = [
        write(tmp_path / "a.csv", "file,category", "1.png,cat", "2.png,dog", "3.png,cat"),
        write(tmp_path / "b.csv", "file,category", "3.png,fox", "1.png,dog", "2.png,cat"),
        write(tmp_path / "c.csv", "file,category", "2.png,cat", "3.png,dog", "1.png,dog"),
    ]
    output = tmp_path / "vote.csv"
    assert blend(files, output) == 3
    assert read(output)[1:] == [["1.png", "dog"], ["2.png", "cat"], ["3.png", "cat"]]
    blend(files, output, weights=[2.5, 1, 1])
    assert read(output)[1:] == [["1.png", "cat"], ["2.png", "dog"], ["3.png", "cat"]]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["file,cat,dog", "x.jpg,0.5,0.5"],
            r"b.csv: some names are not in both this file and .*a.csv \(1 in all: y,1.gif\)",
        ),
        (["file,cat,dog", "x.jpg,.5,.5", "y.gif,.5,.5"], r"names .*2 in all: y,1.gif, y.gif"),
        (["file,cat,fox", "x.jpg,.5,.5", '"y,1.gif",.5,.5'], r"columns .*2 in all: dog, fox"),
        (["file,category", "x.jpg,cat", '"y,1.gif",cat'], "some columns are not in both"),
        (["file,cat,dog", "x.jpg,.5,.5", "x.jpg,.5,.5"], "b.csv, line 3: 'x.jpg' already appears on line 2"),
        (["file,cat,dog", "x.jpg,.5"], "b.csv, line 2: 2 cells where the header has 3"),
        (["file,cat,dog", "x.jpg,.5,no", '"y,1.gif",.5,.5'], "row 'x.jpg': a cell is not a number"),
        (["file,cat,dog", "x.jpg,.5,0_1", '"y,1.gif",.5,.5'], "row 'x.jpg': a cell is not a number"),
        (["file,cat,dog", "x.jpg,.5,1.5", '"y,1.gif",.5,.5'], "a probability is outside"),
        (["file,cat,dog", "x.jpg,.5,nan", '"y,1.gif",.5,.5'], "a probability is outside"),
        (["name,cat,dog", "x.jpg,.5,.5"], "line 1: this is not a header \\('name,cat,dog'\\)"),
        (["file,cat,cat", "x.jpg,.5,.5"], "line 1: two columns are called"),
        (["file,cat,dog"], "there are no rows"),
        (['file,"cat', "x"], "not csv|header"),
        ([], "line 1: this is not a header"),
    ],
)
def test_what_does_not_match_is_refused_and_nothing_is_written(probabilities, tmp_path, lines, message):
    write(tmp_path / "b.csv", *lines)
    with pytest.raises(InvalidInput, match=message):
        blend(probabilities, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("weights", [[1], [-1, 2], [0, 0], [float("nan"), 1]])
def test_weights_that_make_no_mean_are_refused(probabilities, tmp_path, weights):
    with pytest.raises(InvalidInput, match="--weights"):
        blend(probabilities, tmp_path / "out.csv", weights=weights)


def test_one_file_or_a_missing_one_is_refused(probabilities, tmp_path):
    with pytest.raises(InvalidInput, match="name at least two"):
        blend(probabilities[:1], tmp_path / "out.csv")
    with pytest.raises(InvalidInput, match="there is no such file"):
        blend([probabilities[0], tmp_path / "none.csv"], tmp_path / "out.csv")


def test_blend_writes_the_weighted_answer_or_says_what_is_wrong(probabilities, tmp_path, capsys):
    output = tmp_path / "out.csv"
    arguments = ["blend", *map(str, probabilities), f"--output={output}"]
    assert main([*arguments, "--categories", "--weights", "1", "3"]) == 0
    assert capsys.readouterr().out == f"{output}: 2 rows from 2 files\n"
    assert read(output)[1] == ["x.jpg", "cat"]
    assert main([*arguments, "--weights", "1"]) == 1
