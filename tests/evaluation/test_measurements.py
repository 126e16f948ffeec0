from dataclasses import replace

import pytest

from restora.core.errors import FileProblem
from restora.evaluation.measurements import COLUMNS, Measurements, Row, read_rows

ROW = Row(
    "denoise-gray", "nlm", "set12-gray-awgn-s25-noclip-seed0", "Set12", "01", "psnr", 28.9, 28.98, -0.08, 1.25, 210.5,
    "cpu (Some, 2 threads)", "0.1.0", "2026-01-02T03:04:05+00:00", "0123456789ab",
)  # fmt: skip


def test_the_columns_are_those_users_parse():
    assert ",".join(COLUMNS) == (
        "suite,method,protocol,set,image,metric,value,published,difference,seconds,peak_mib,device,version,date,"
        "code,parameters"
    )


def test_rows_come_back_as_they_were_written(tmp_path):
    rows = [ROW, replace(ROW, image="02", published=None, difference=None, peak_mib=None, value=float("inf"))]
    Measurements(tmp_path / "deep" / "m.csv").append(rows)
    assert list(read_rows(tmp_path / "deep" / "m.csv")) == rows


def test_of_two_rows_about_the_same_thing_the_later_holds(tmp_path):
    store = Measurements(tmp_path / "m.csv")
    store.append([ROW])
    store.append([replace(ROW, value=29.5)])
    assert [row.value for row in store.rows()] == [29.5]
    assert Measurements(tmp_path / "m.csv").get(ROW.key, ROW.code).value == 29.5
    assert len(read_rows(tmp_path / "m.csv")) == 2


def test_a_row_of_other_code_is_not_found_and_one_of_other_parameters_is_another(tmp_path):
    store = Measurements(tmp_path / "m.csv")
    store.append([ROW, replace(ROW, parameters="h=0.4", value=27.0)])
    assert store.get(ROW.key, ROW.code) == ROW
    assert store.get(ROW.key, "ba9876543210") is None
    store.append([replace(ROW, code="ba9876543210", value=28.0)])
    assert store.get(ROW.key, ROW.code) is None
    assert [row.value for row in store.rows()] == [28.0, 27.0]


def test_a_row_of_another_kind_of_device_stands_beside(tmp_path):
    store = Measurements(tmp_path / "m.csv")
    store.append([ROW, replace(ROW, device="cuda (Some)")])
    assert len(store.rows()) == 2


@pytest.mark.parametrize("torn", ["denoise-gray,nlm,set12", 'denoise-gray,nlm,"set1', "d"])
def test_a_torn_last_line_is_dropped_and_written_over(tmp_path, torn):
    path = tmp_path / "m.csv"
    Measurements(path).append([ROW])
    path.write_text(path.read_text() + torn)
    assert read_rows(path) == (ROW,)
    second = replace(ROW, image="02")
    Measurements(path).append([second])
    assert read_rows(path) == (ROW, second)


def test_a_file_that_is_something_else_is_refused(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("name,age\nAnna,7\n")
    with pytest.raises(FileProblem, match="not a file of measurements"):
        Measurements(path)
    assert path.read_text() == "name,age\nAnna,7\n"


def test_a_spoiled_row_is_named_by_its_line(tmp_path):
    path = tmp_path / "m.csv"
    Measurements(path).append([ROW])
    path.write_text(path.read_text().replace("28.9000", "high"))
    with pytest.raises(FileProblem, match="line 2"):
        read_rows(path)
