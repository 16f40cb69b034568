"""Ten thousand random queries over random records: every database answers each as `evaluate` does.

One world of records serves many queries, because writing it costs more than asking. When a query fails, hypothesis
takes away queries, records and parts of them as long as it still fails; what is left is printed, world and query.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from comparing import check_expanded, check_groups, check_rows
from engines import Engine
from hypothesis import given, note, settings
from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter
from random_expansions import draw_expanding_query
from random_filters import Scene, pick, settings_of_callers
from random_queries import draw_grouped, draw_query, queries
from worlds import CATALOG, CROWDED, TEXTS, World, focuses, worlds

from entities.errors import InvalidArgument
from entities.messages import Rows
from entities.ordering import full_order
from entities.query import QueryExpression
from entities.relative import concrete
from entities.relative.settings import CallerSettings
from entities.text import fold
from odata_server.edm.representation import RowShape

PER_WORLD = 50
"""So many questions are asked of a world at most, and about a third of them on average."""

Question = tuple[QueryExpression, RowShape]
"""A query, and the shape of its rows where it has expansions."""

NO_SHAPE = RowShape("", ())


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of queries: how one is drawn, how its answers are compared, how many are compared in a plain run."""

    draw: Callable[[st.DrawFn, Scene], Question]
    compare: Callable[[Engine, World, Question, int], Rows | None]
    share: int


KINDS = {
    "rows": Kind(
        lambda draw, scene: (draw_query(draw, scene), NO_SHAPE),
        lambda engine, world, question, size: check_rows(engine, world, question[0], size),
        5_000,
    ),
    "groups": Kind(
        lambda draw, scene: (draw_grouped(draw, scene), NO_SHAPE),
        lambda engine, world, question, size: check_groups(engine, world, question[0], size),
        2_800,
    ),
    "expansions": Kind(
        draw_expanding_query,
        lambda engine, world, question, _size: check_expanded(engine, world, *question),
        2_200,
    ),
}


@dataclass(frozen=True, slots=True)
class Batch:
    """Records, questions that a service would pass on, and the size of pages."""

    world: World
    questions: tuple[Question, ...]
    size: int

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        # Of all the questions the test prints the one that failed.
        del cycle
        printer.text(f"<{len(self.questions)} questions>")


@st.composite
def batches(draw: st.DrawFn, kind: Kind) -> Batch:
    """Return records and questions about the same few columns; a single question is the simplest batch."""
    firm = draw(focuses())
    world, who, size = draw(worlds(firm, CROWDED)), draw(settings_of_callers), draw(st.integers(1, 4))
    scene = Scene({**CATALOG.tables, "firm": firm}, world)
    questions: list[Question] = []
    while len(questions) < PER_WORLD and (question := draw(_next_question(kind, scene))):
        query, shape = question
        if resolved := _resolved(query, who):
            questions.append((resolved, shape))
    return Batch(world, tuple(questions), size)


@st.composite
def _next_question(draw: st.DrawFn, kind: Kind, scene: Scene) -> Question | None:
    """Return a further question, or none; a question and the choice to ask it can be taken away together."""
    return kind.draw(draw, scene) if pick(draw, range(PER_WORLD)) else None


def _resolved(query: QueryExpression, who: CallerSettings) -> QueryExpression | None:
    """Return a query without relative conditions, None where a service refuses them."""
    try:
        return concrete(query, who, CATALOG)
    except InvalidArgument:
        return None


@dataclass(slots=True)
class Tally:
    """How many queries were compared, and how many of them had rows in their answer."""

    compared: int = 0
    with_rows: int = 0
    failed: bool = False

    def add(self, found: Rows | None) -> None:
        """Count one more query that has the same answer everywhere."""
        self.compared += 1
        self.with_rows += bool(found and found.count)


@pytest.mark.parametrize("name", KINDS)
def test_random_queries_are_answered_as_the_reference_does(engine: Engine, name: str) -> None:
    kind, tally = KINDS[name], Tally()
    wanted = kind.share * settings().max_examples // settings.get_profile("default").max_examples

    @settings(max_examples=wanted * 5 // PER_WORLD)
    @given(batch=batches(kind))
    def ask(batch: Batch) -> None:
        if tally.compared >= wanted and not tally.failed:
            return
        engine.hold(batch.world)
        for question in batch.questions:
            agreed = False
            try:
                tally.add(kind.compare(engine, batch.world, question, batch.size))
                agreed = True
            finally:
                if not agreed:
                    tally.failed = True
                    note(f"world: {batch.world}\nquery: {question[0]}\npages of {batch.size}")

    ask()
    assert tally.compared >= wanted, tally
    # Many answers must have rows, or nothing was compared.
    assert tally.with_rows * 4 > tally.compared, tally


def test_a_plain_run_compares_ten_thousand_queries() -> None:
    assert sum(kind.share for kind in KINDS.values()) >= 10_000


@given(query=queries(Scene()))
def test_nothing_is_ordered_by_twice(query: QueryExpression) -> None:
    # Two options may have the same label: the label and the option order by different things.
    keys = [(order.column, order.labels) for order in full_order(CATALOG, query)]
    assert len(keys) == len(set(keys))


@given(text=TEXTS)
def test_folding_a_folded_text_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
