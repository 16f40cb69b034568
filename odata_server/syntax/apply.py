"""`$apply`: a sequence of transformations (OData Data Aggregation 4.0 §3, with its ABNF).

apply = step *( "/" step )
step  = identity / name "(" operands ")" / Ns.Function "(" arguments ")"
"""

from collections.abc import Callable
from dataclasses import replace

from odata_server.syntax.apply_trees import (
    AggregateStep,
    CallStep,
    ComputeStep,
    ConcatStep,
    ExpandStep,
    FilterStep,
    GroupBy,
    Hierarchy,
    IdentityStep,
    JoinStep,
    Kin,
    KinStep,
    NestedSequence,
    NestStep,
    OrderItem,
    OrderStep,
    Ranking,
    RankStep,
    Rollup,
    RollupRecursive,
    SearchStep,
    SkipStep,
    TopStep,
    Transformation,
    TraverseStep,
)
from odata_server.syntax.expressions import read_expression
from odata_server.syntax.forms import read_aggregate_item, read_arguments
from odata_server.syntax.items import (
    read_alias,
    read_compute,
    read_count,
    read_grouping_path,
    read_order_item,
    read_orderby,
    read_plain_path,
)
from odata_server.syntax.search import read_search
from odata_server.syntax.tokens import Cursor, Dialect, open_text
from odata_server.syntax.trees import AggregateItem, Call, Count, Path


def parse_apply(text: str, *, dialect: Dialect = Dialect.DATAVERSE) -> tuple[Transformation, ...]:
    """Read a whole `$apply` value, percent-decoded.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    cursor = open_text(text, dialect)
    steps = read_apply(cursor)
    cursor.finish()
    return steps


def read_apply(cursor: Cursor) -> tuple[Transformation, ...]:
    """Read `step *( "/" step )`.

    Raises:
        SyntaxRefused: it is not well-formed, or nested too deeply.
    """
    cursor.enter()
    steps = [_read_step(cursor)]
    while cursor.take_if("/"):
        steps.append(_read_step(cursor))
    cursor.leave()
    return tuple(steps)


def _read_step(cursor: Cursor) -> Transformation:
    start = cursor.start
    name = cursor.value
    if cursor.kind != "word":
        raise cursor.refusal()
    if name == "identity":
        cursor.advance()
        return IdentityStep()
    if "." in name:
        cursor.advance()
        arguments, named = read_arguments(cursor, read_expression)
        return CallStep(Call(name, arguments, named, None, cursor.span_from(start)))
    reader = _STEPS.get(name)
    if reader is None:
        raise cursor.refusal()
    cursor.advance()
    if name == "search":
        return _read_search_step(cursor)
    cursor.take("(")
    step = reader(cursor)
    cursor.take(")")
    return step


def _read_search_step(cursor: Cursor) -> SearchStep:
    if cursor.kind != "(":
        raise cursor.refusal()
    search, end = read_search(cursor.text, cursor.end, cursor.limit, is_nested=True)
    cursor.restart(end)
    cursor.take(")")
    return SearchStep(search)


def _read_aggregate(cursor: Cursor) -> AggregateStep:
    items = [_read_aliased_item(cursor)]
    while cursor.take_if(","):
        items.append(_read_aliased_item(cursor))
    return AggregateStep(tuple(items))


def _read_aliased_item(cursor: Cursor) -> AggregateItem:
    start = cursor.start
    item = read_aggregate_item(cursor, read_expression)
    is_bare_custom = item.method is None and isinstance(item.operand, Path) and not item.origins
    if is_bare_custom and not cursor.is_word("as"):
        return item
    if item.operand is None or item.method or item.origins or isinstance(item.operand, Count | Path):
        return replace(item, alias=read_alias(cursor), span=cursor.span_from(start))
    raise cursor.refusal()


def _read_groupby(cursor: Cursor) -> GroupBy:
    cursor.take("(")
    elements = [_read_element(cursor)]
    while cursor.take_if(","):
        elements.append(_read_element(cursor))
    cursor.take(")")
    return GroupBy(tuple(elements), _read_optional_steps(cursor))


def _read_element(cursor: Cursor) -> Path | Rollup | RollupRecursive:
    name = cursor.value
    if cursor.kind != "word" or not cursor.follows("(") or name not in {"rollup", "rolluprecursive"}:
        return read_grouping_path(cursor)
    cursor.advance()
    cursor.take("(")
    if name == "rollup":
        paths = [read_grouping_path(cursor)]
        while cursor.take_if(","):
            paths.append(read_grouping_path(cursor))
        element: Rollup | RollupRecursive = Rollup(tuple(paths))
    else:
        element = RollupRecursive(_read_hierarchy(cursor), _read_optional_steps(cursor))
    cursor.take(")")
    return element


def _read_optional_steps(cursor: Cursor) -> tuple[Transformation, ...]:
    return read_apply(cursor) if cursor.take_if(",") else ()


def _read_concat(cursor: Cursor) -> ConcatStep:
    sequences = [read_apply(cursor)]
    cursor.take(",")
    sequences.append(read_apply(cursor))
    while cursor.take_if(","):
        sequences.append(read_apply(cursor))
    return ConcatStep(tuple(sequences))


def _read_expand(cursor: Cursor) -> ExpandStep:
    cursor.enter()
    path = read_plain_path(cursor)
    steps: list[FilterStep | ExpandStep] = []
    while cursor.take_if(","):
        start = cursor.start
        step = _read_step(cursor)
        if not isinstance(step, FilterStep | ExpandStep):
            raise cursor.refusal(position=start)
        steps.append(step)
    cursor.leave()
    return ExpandStep(path, tuple(steps))


def _read_nest(cursor: Cursor) -> NestStep:
    return NestStep(_read_nested_sequences(cursor))


def _read_addnested(cursor: Cursor) -> NestStep:
    path = read_plain_path(cursor)
    cursor.take(",")
    return NestStep(_read_nested_sequences(cursor), path)


def _read_nested_sequences(cursor: Cursor) -> tuple[NestedSequence, ...]:
    sequences: list[NestedSequence] = []
    while not sequences or cursor.take_if(","):
        steps = read_apply(cursor)
        sequences.append(NestedSequence(steps, read_alias(cursor)))
    return tuple(sequences)


def _read_join(cursor: Cursor) -> JoinStep:
    path = read_plain_path(cursor)
    alias = read_alias(cursor)
    return JoinStep(path, alias, _read_optional_steps(cursor))


def _read_outerjoin(cursor: Cursor) -> JoinStep:
    return replace(_read_join(cursor), is_outer=True)


def _ranking_reader(ranking: Ranking) -> Callable[[Cursor], Transformation]:
    def read(cursor: Cursor) -> Transformation:
        limit = read_expression(cursor)
        cursor.take(",")
        return RankStep(ranking, limit, read_expression(cursor))

    return read


def _read_hierarchy(cursor: Cursor) -> Hierarchy:
    start = cursor.start
    if cursor.kind != "system" or cursor.value != "$root":
        raise cursor.refusal(position=start)
    root = read_expression(cursor)
    cursor.take(",")
    qualifier = cursor.take_identifier()
    cursor.take(",")
    return Hierarchy(root, qualifier, read_plain_path(cursor))


def _kin_reader(kin: Kin) -> Callable[[Cursor], Transformation]:
    def read(cursor: Cursor) -> Transformation:
        hierarchy = _read_hierarchy(cursor)
        cursor.take(",")
        steps = read_apply(cursor)
        distance: int | None = None
        keeps_start = False
        while not keeps_start and cursor.take_if(","):
            if distance is None and cursor.kind == "number":
                distance = read_count(cursor)
                continue
            cursor.take_word("keep")
            cursor.take_word("start")
            keeps_start = True
        return KinStep(kin, hierarchy, steps, distance, keeps_start)

    return read


def _read_traverse(cursor: Cursor) -> TraverseStep:
    hierarchy = _read_hierarchy(cursor)
    cursor.take(",")
    direction = cursor.value
    if cursor.kind != "word" or direction not in {"preorder", "postorder"}:
        raise cursor.refusal()
    cursor.advance()
    steps: tuple[Transformation, ...] = ()
    order: list[OrderItem] = []
    while cursor.take_if(","):
        if not steps and not order and _is_step(cursor):
            steps = read_apply(cursor)
        else:
            order.append(read_order_item(cursor))
    return TraverseStep(hierarchy, direction == "preorder", steps, tuple(order))


def _is_step(cursor: Cursor) -> bool:
    # After `preorder` a function name such as tolower( starts an order item, a transformation's name a sequence.
    return cursor.kind == "word" and (cursor.value == "identity" or (cursor.value in _STEPS and cursor.follows("(")))


def _read_filter(cursor: Cursor) -> FilterStep:
    return FilterStep(read_expression(cursor))


def _read_compute_step(cursor: Cursor) -> ComputeStep:
    return ComputeStep(read_compute(cursor))


def _read_order_step(cursor: Cursor) -> OrderStep:
    return OrderStep(read_orderby(cursor))


def _read_top(cursor: Cursor) -> TopStep:
    return TopStep(read_count(cursor))


def _read_skip(cursor: Cursor) -> SkipStep:
    return SkipStep(read_count(cursor))


_STEPS: dict[str, Callable[[Cursor], Transformation]] = {
    "aggregate": _read_aggregate,
    "groupby": _read_groupby,
    "filter": _read_filter,
    "search": _read_search_step,
    "orderby": _read_order_step,
    "top": _read_top,
    "skip": _read_skip,
    "compute": _read_compute_step,
    "concat": _read_concat,
    "expand": _read_expand,
    "nest": _read_nest,
    "addnested": _read_addnested,
    "join": _read_join,
    "outerjoin": _read_outerjoin,
    "ancestors": _kin_reader(Kin.ANCESTORS),
    "descendants": _kin_reader(Kin.DESCENDANTS),
    "traverse": _read_traverse,
    **{ranking.value: _ranking_reader(ranking) for ranking in Ranking},
}
