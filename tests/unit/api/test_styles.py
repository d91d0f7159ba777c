"""The served part of the vendored style sheet is what the pages use of it."""

from tests.support import styles


def test_the_served_style_sheet_has_what_the_pages_use() -> None:
    served = styles.USED.read_text(encoding="utf-8")

    assert served == styles.used(), "run `make styles`"


def test_our_style_sheet_has_only_classes_that_pages_can_have() -> None:
    assert styles.unused(styles.OURS.read_text(encoding="utf-8")) == []


def test_classes_are_found_unused_unless_their_names_can_be_put_together() -> None:
    sheet = (
        "/* .o-words */.o-row,.o-nowhere{a:b}@media all{.o-gone:not(.btn){a:b}}"
        ".o-merged,.o-nostatus{a:b}.o-f-error{a:.5}.o-f-nosuchtone{a:b}.o-lines-50{a:b}.htmx-request{a:b}"
    )

    assert styles.unused(sheet) == ["o-f-nosuchtone", "o-gone", "o-nostatus", "o-nowhere"]


def test_rules_stay_if_all_their_classes_are_words_of_the_pages() -> None:
    sheet = ".btn,.btn-x{a:b}.badge .btn{a:b}.btn:not(.badge){c:d}@media all{.badge{e:f}.btn{e:f}}a{g:h}"

    assert styles.kept(sheet, frozenset({"btn"})) == (
        ".btn{a:b}\n.btn:not(.badge){c:d}\n@media all{.btn{e:f}}\na{g:h}"
    )
