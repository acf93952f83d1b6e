import pytest

from benchmarks.page import put


def test_each_section_is_replaced_alone(tmp_path):
    page = tmp_path / "RESULTS.md"
    put("training", "## Training\n\nold", page)
    put("jobs", "## Jobs\n\nkept", page)
    put("training", "## Training\n\nnewer", page)

    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Benchmarks\n")
    assert "old" not in text
    assert text.index("newer") < text.index("kept")
    assert text.count("<!-- training -->") == text.count("<!-- end of training -->") == 1


def test_half_a_section_is_refused(tmp_path):
    page = tmp_path / "RESULTS.md"
    page.write_text("# Benchmarks\n\n<!-- jobs -->\n\n## Jobs\n", encoding="utf-8")

    with pytest.raises(ValueError, match="only one of <!-- jobs -->"):
        put("jobs", "## Jobs", page)
