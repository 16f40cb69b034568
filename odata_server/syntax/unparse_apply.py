"""`$apply`, `$orderby` and `$compute` back to decoded text."""

from typing import assert_never

from odata_server.syntax.apply_trees import (
    AggregateStep,
    CallStep,
    ComputeItem,
    ComputeStep,
    ConcatStep,
    ExpandStep,
    FilterStep,
    GroupBy,
    Hierarchy,
    IdentityStep,
    JoinStep,
    KinStep,
    NestedSequence,
    NestStep,
    OrderItem,
    OrderStep,
    RankStep,
    Rollup,
    RollupRecursive,
    SearchStep,
    SkipStep,
    TopStep,
    Transformation,
    TraverseStep,
)
from odata_server.syntax.trees import Path
from odata_server.syntax.unparse_expressions import unparse_aggregate_item, unparse_expression, unparse_search


def unparse_orderby(items: tuple[OrderItem, ...]) -> str:
    """Write order items; `asc` is left out."""
    return ",".join(unparse_expression(item.expression) + (" desc" if item.descending else "") for item in items)


def unparse_compute(items: tuple[ComputeItem, ...]) -> str:
    """Write computed items."""
    return ",".join(f"{unparse_expression(item.expression)} as {item.name}" for item in items)


def unparse_apply(steps: tuple[Transformation, ...]) -> str:
    """Write a sequence of transformations that reads back as the same trees."""
    return "/".join(map(_step, steps))


def _step(step: Transformation) -> str:
    match step:
        case IdentityStep():
            return "identity"
        case CallStep(call=call):
            return unparse_expression(call)
        case AggregateStep(items=items):
            return f"aggregate({','.join(map(unparse_aggregate_item, items))})"
        case FilterStep(predicate=predicate):
            return f"filter({unparse_expression(predicate)})"
        case SearchStep(search=search):
            return f"search({unparse_search(search)})"
        case _:
            return _counted_step(step)


def _counted_step(
    step: OrderStep
    | ComputeStep
    | TopStep
    | SkipStep
    | GroupBy
    | ConcatStep
    | ExpandStep
    | NestStep
    | JoinStep
    | RankStep
    | KinStep
    | TraverseStep,
) -> str:
    match step:
        case OrderStep(items=order):
            return f"orderby({unparse_orderby(order)})"
        case ComputeStep(items=computed):
            return f"compute({unparse_compute(computed)})"
        case TopStep(count=count):
            return f"top({count})"
        case SkipStep(count=count):
            return f"skip({count})"
        case _:
            return _compound_step(step)


def _compound_step(
    step: GroupBy | ConcatStep | ExpandStep | NestStep | JoinStep | RankStep | KinStep | TraverseStep,
) -> str:
    match step:
        case GroupBy(elements=elements, steps=steps):
            return f"groupby(({','.join(map(_element, elements))}){_following(steps)})"
        case ConcatStep(sequences=sequences):
            return f"concat({','.join(map(unparse_apply, sequences))})"
        case ExpandStep(path=path, steps=inner):
            return f"expand({','.join([unparse_expression(path), *map(_step, inner)])})"
        case NestStep():
            return _nest(step)
        case JoinStep(path=path, alias=alias, steps=steps, is_outer=is_outer):
            name = "outerjoin" if is_outer else "join"
            return f"{name}({unparse_expression(path)} as {alias}{_following(steps)})"
        case RankStep(ranking=ranking, limit=limit, value=value):
            return f"{ranking.value}({unparse_expression(limit)},{unparse_expression(value)})"
        case KinStep():
            return _kin(step)
        case TraverseStep():
            return _traverse(step)
        case _:
            assert_never(step)


def _element(element: Path | Rollup | RollupRecursive) -> str:
    match element:
        case Path():
            return unparse_expression(element)
        case Rollup(paths=paths):
            return f"rollup({','.join(map(unparse_expression, paths))})"
        case RollupRecursive(hierarchy=hierarchy, steps=steps):
            return f"rolluprecursive({_hierarchy(hierarchy)}{_following(steps)})"
        case _:
            assert_never(element)


def _following(steps: tuple[Transformation, ...]) -> str:
    return f",{unparse_apply(steps)}" if steps else ""


def _nest(step: NestStep) -> str:
    sequences = _nested(step.sequences)
    return f"nest({sequences})" if step.path is None else f"addnested({unparse_expression(step.path)},{sequences})"


def _nested(sequences: tuple[NestedSequence, ...]) -> str:
    return ",".join(f"{unparse_apply(sequence.steps)} as {sequence.alias}" for sequence in sequences)


def _hierarchy(hierarchy: Hierarchy) -> str:
    return f"{unparse_expression(hierarchy.root)},{hierarchy.qualifier},{unparse_expression(hierarchy.path)}"


def _kin(step: KinStep) -> str:
    distance = "" if step.distance is None else f",{step.distance}"
    keep = ",keep start" if step.keeps_start else ""
    return f"{step.kin.value}({_hierarchy(step.hierarchy)},{unparse_apply(step.steps)}{distance}{keep})"


def _traverse(step: TraverseStep) -> str:
    direction = "preorder" if step.is_preorder else "postorder"
    order = f",{unparse_orderby(step.order)}" if step.order else ""
    return f"traverse({_hierarchy(step.hierarchy)},{direction}{_following(step.steps)}{order})"
