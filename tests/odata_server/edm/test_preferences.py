"""The Prefer header in every spelling that clients send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odata_server.edm.preferences import (
    ASSOCIATED_NAVIGATION,
    FORMATTED_VALUE,
    INCLUDE_ANNOTATIONS,
    LOOKUP_LOGICAL_NAME,
    MAX_PAGE_SIZE,
    NO_PREFERENCES,
    AnnotationFilter,
    Preferences,
    parse_preferences,
    preference_applied,
)


@pytest.mark.parametrize(
    ("header", "field", "value"),
    [
        ("return=representation", "return_representation", True),
        ("return=minimal", "return_minimal", True),
        ("return=minimal, return=representation", "return_representation", False),
        ("return=everything", "return_representation", False),
        ("odata.maxpagesize=2", "max_page_size", 2),
        ('odata.maxpagesize="25"', "max_page_size", 25),
        ("maxpagesize=7", "max_page_size", 7),
        ("ODATA.MaxPageSize = 7", "max_page_size", 7),
        ("odata.maxpagesize=0", "max_page_size", None),
        ("odata.maxpagesize=-1", "max_page_size", None),
        ("odata.maxpagesize=many", "max_page_size", None),
        ("odata.maxpagesize=٣", "max_page_size", None),
        ("odata.track-changes", "track_changes", True),
        ("odata.continue-on-error", "continue_on_error", True),
        ("continue-on-error=true", "continue_on_error", True),
        ("continue-on-error=false", "continue_on_error", False),
        ("respond-async; wait=10", "respond_async", True),
        ("return=representation;odata.maxpagesize=2", "max_page_size", None),
        ("something=else", "track_changes", False),
    ],
)
def test_one_preference(header, field, value):
    assert getattr(parse_preferences(header), field) == value


@pytest.mark.parametrize(
    ("header", "patterns"),
    [
        ('odata.include-annotations="*"', ("*",)),
        ("odata.include-annotations=*", ("*",)),
        (f'odata.include-annotations="{FORMATTED_VALUE}"', (FORMATTED_VALUE,)),
        (f"odata.include-annotations={FORMATTED_VALUE}", (FORMATTED_VALUE,)),
        (f"odata.include-annotations='{FORMATTED_VALUE}'", (FORMATTED_VALUE,)),
        (
            f'odata.include-annotations="{FORMATTED_VALUE}, Microsoft.Dynamics.CRM.*"',
            (FORMATTED_VALUE, "Microsoft.Dynamics.CRM.*"),
        ),
        (
            f"odata.include-annotations={FORMATTED_VALUE},{LOOKUP_LOGICAL_NAME},return=representation",
            (FORMATTED_VALUE, LOOKUP_LOGICAL_NAME),
        ),
        (f"odata.include-annotations={FORMATTED_VALUE},odata.track-changes", (FORMATTED_VALUE,)),
        (f"{FORMATTED_VALUE},odata.maxpagesize=2", ()),
        ('odata.include-annotations="not an annotation"', ()),
        ("include-annotations=*", ("*",)),
    ],
)
def test_annotations_are_read_quoted_or_not(header, patterns):
    assert parse_preferences(header).annotations.patterns == patterns


def test_several_preferences_in_one_header():
    header = 'odata.include-annotations="*",return=representation, odata.maxpagesize=3'
    preferences = parse_preferences(header)
    assert preferences.annotations.everything
    assert preferences.return_representation
    assert preferences.max_page_size == 3


@pytest.mark.parametrize(
    ("patterns", "formatted", "logical_name", "navigation"),
    [
        ((), False, False, False),
        (("*",), True, True, True),
        ((FORMATTED_VALUE,), True, False, False),
        (("Microsoft.Dynamics.CRM.*",), False, True, True),
        (("OData.*",), True, False, False),
        (("*", f"-{LOOKUP_LOGICAL_NAME}"), True, False, True),
        (("-*", FORMATTED_VALUE), True, False, False),
        (("Microsoft.Dynamics.CRM.*", f"-{ASSOCIATED_NAVIGATION}"), False, True, False),
        (("Microsoft.Dynamics.CRMx.*",), False, False, False),
    ],
)
def test_the_most_specific_pattern_decides(patterns, formatted, logical_name, navigation):
    wanted = AnnotationFilter(patterns)
    assert wanted.includes(FORMATTED_VALUE) is formatted
    assert wanted.includes(LOOKUP_LOGICAL_NAME) is logical_name
    assert wanted.includes(ASSOCIATED_NAVIGATION) is navigation


def test_only_what_was_honored_is_echoed_each_in_a_header_of_its_own():
    preferences = parse_preferences(f"odata.maxpagesize=2, odata.include-annotations={FORMATTED_VALUE}, return=minimal")
    assert preference_applied(preferences, MAX_PAGE_SIZE, INCLUDE_ANNOTATIONS) == (
        ("Preference-Applied", "odata.maxpagesize=2"),
        ("Preference-Applied", f'odata.include-annotations="{FORMATTED_VALUE}"'),
    )
    assert preference_applied(parse_preferences("odata.maxpagesize=x"), MAX_PAGE_SIZE) == ()


def test_no_header_is_no_preference():
    assert parse_preferences("") is NO_PREFERENCES


_PIECES = st.sampled_from(
    [
        '"',
        "'",
        ",",
        ";",
        "=",
        "\\",
        " ",
        "*",
        ".",
        "odata.include-annotations",
        "return",
        "odata.maxpagesize",
        "a.b",
        "9",
    ]
)


@given(st.one_of(st.text(), st.lists(_PIECES).map("".join)))
def test_no_text_is_refused(header):
    preferences = parse_preferences(header)
    assert isinstance(preferences, Preferences)
    assert preferences.max_page_size is None or preferences.max_page_size > 0
    echoed = ", ".join(echo for _, echo in preferences.echoes)
    assert parse_preferences(echoed).annotations == preferences.annotations
