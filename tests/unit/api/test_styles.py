"""The served part of the vendored style sheet is what the pages use of it."""

from tests.support import styles


def test_the_served_style_sheet_has_what_the_pages_use() -> None:
    served = styles.USED.read_text(encoding="utf-8")

    assert served == styles.used(), "run `make styles`"


def test_rules_stay_if_all_their_classes_are_words_of_the_pages() -> None:
    sheet = ".btn,.btn-x{a:b}.badge .btn{a:b}.btn:not(.badge){c:d}@media all{.badge{e:f}.btn{e:f}}a{g:h}"

    assert styles.kept(sheet, frozenset({"btn"})) == (
        ".btn{a:b}\n.btn:not(.badge){c:d}\n@media all{.btn{e:f}}\na{g:h}"
    )
