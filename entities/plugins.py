"""What plug-in packages are written with: steps, custom APIs, and what their functions see.

```python
from entities.plugins import InvalidPluginExecution, Plugin, PluginContext, PluginStep, Stage

def check_limit(context: PluginContext) -> None:
    if context.target["creditlimit"] > 1_000_000:
        raise InvalidPluginExecution("A limit of more than a million needs the board.")

plugin = Plugin(steps=[PluginStep("Update", "account", Stage.PRE_OPERATION, check_limit, filtering=["creditlimit"])])
```

The distribution that holds `plugin` names it as an entry point of the group `talentverse.plugins`; the server loads it
at its start. Learn: "Write a plug-in", "Register a plug-in", "Create and use custom APIs".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, TypeAlias

from entities.errors import DataverseError, StepRejected
from entities.messages import (
    Associate,
    Create,
    Delete,
    Disassociate,
    Message,
    Response,
    Retrieve,
    RetrieveChanges,
    RetrieveMultiple,
    Rows,
    Update,
    Written,
)
from entities.metadata.custom_apis import AllowedSteps, BindingType, CustomApiParameter, ParameterType, flaw_of_api
from entities.pipeline import Stage
from entities.query import QueryExpression
from entities.values import EntityReference, EntityValue, Guid, Record, Value

__all__ = [
    "AllowedSteps",
    "BindingType",
    "CustomApiParameter",
    "EntityReference",
    "EntityValue",
    "Guid",
    "InvalidPluginExecution",
    "Mode",
    "ParameterType",
    "Plugin",
    "PluginApi",
    "PluginContext",
    "PluginFunction",
    "PluginStep",
    "QueryExpression",
    "Service",
    "Stage",
]

_WITHOUT_STEPS: Final = frozenset(
    {"Retrieve", "RetrieveMultiple", "Upsert", "CreateMultiple", "UpdateMultiple", "UpsertMultiple", "DeleteMultiple"}
)
_READS: Final = (Retrieve, RetrieveMultiple, RetrieveChanges)


class InvalidPluginExecution(StepRejected):
    """A function of a plug-in package ends the message, in words of its own; all that the message did is taken back."""


class Mode(IntEnum):
    """Whether a step runs inside the message, or as a background job after it."""

    SYNCHRONOUS = 0
    ASYNCHRONOUS = 1


class Service:
    """What a plug-in can do to the organization, inside the running transaction.

    Args:
        perform: executes a message.
    """

    def __init__(self, perform: Callable[[Message], Response]) -> None:
        self._perform = perform
        self.failed = False

    def execute(self, message: Message) -> Response:
        """Execute any message of `entities.messages`.

        Raises:
            DataverseError: it is refused. A change that is refused ends the whole message, caught or not.
        """
        try:
            return self._perform(message)
        except DataverseError:
            self.failed = self.failed or not isinstance(message, _READS)
            raise

    def create(self, table: str, record: Record) -> EntityReference:
        """Make a record and return what names it."""
        made = self.execute(Create(table, record))
        assert isinstance(made, Written)
        return made.reference

    def update(self, target: EntityReference, record: Record) -> None:
        """Change columns of a record."""
        self.execute(Update(target, record))

    def delete(self, target: EntityReference) -> None:
        """Delete a record."""
        self.execute(Delete(target))

    def associate(self, target: EntityReference, navigation: str, related: EntityReference) -> None:
        """Relate two records through a navigation property of the first one's table."""
        self.execute(Associate(target, navigation, related))

    def disassociate(self, target: EntityReference, navigation: str, related: EntityReference | None = None) -> None:
        """End the relation of two records."""
        self.execute(Disassociate(target, navigation, related))

    def retrieve(self, target: EntityReference, *columns: str) -> Record:
        """Read a record, all its columns when none is named."""
        return self._rows(Retrieve(target, columns or None))[0]

    def retrieve_multiple(self, query: QueryExpression) -> Sequence[Record]:
        """Read the records that a query selects."""
        return self._rows(RetrieveMultiple(query))

    def _rows(self, message: Message) -> Sequence[Record]:
        found = self.execute(message)
        assert isinstance(found, Rows)
        return found.records


@dataclass(slots=True)
class PluginContext:
    """What a plug-in function sees.

    Attributes:
        message_name: the message, `Update` or the name of a custom API.
        stage: when the function runs.
        mode: whether it runs inside the message.
        depth: how many messages the running one is nested in, itself counted.
        user_id: the user who sent the message.
        reference: the record that the message is about, once it has an id.
        target: the columns that are written by Create and Update; those that run before may change them.
        input_parameters: the parameters of a custom API, function or action.
        output_parameters: its response properties, to be set.
        pre_images: the record as it was, under `PreImage`, when the step asked for it.
        post_images: the record as it is now, under `PostImage`, likewise.
        shared_variables: what steps of one message tell one another.
        user: the organization, with the rights of that user.
        system: the organization, with every right.
        traces: what the function has traced.
    """

    message_name: str
    stage: Stage
    mode: Mode
    depth: int
    user_id: Guid
    reference: EntityReference | None
    target: dict[str, Value]
    input_parameters: Mapping[str, object]
    output_parameters: dict[str, object]
    pre_images: Mapping[str, Record]
    post_images: Mapping[str, Record]
    shared_variables: dict[str, object]
    user: Service
    system: Service
    traces: list[str] = field(default_factory=list)

    def trace(self, text: str) -> None:
        """Note something for the plug-in trace log, whether the message succeeds or not."""
        self.traces.append(text)


PluginFunction: TypeAlias = Callable[[PluginContext], None]


def type_name(function: PluginFunction) -> str:
    """Return the name under which a function is a plug-in type: its module and its own name."""
    return f"{function.__module__}.{function.__qualname__}"


@dataclass(frozen=True, slots=True)
class PluginStep:
    """A function registered for a message.

    Attributes:
        message: `Create`, `Update`, `Delete`, `Associate`, `Disassociate`, or the name of a function, action or custom
            API.
        table: the table that the message is about; None: any.
        stage: `PRE_VALIDATION`, `PRE_OPERATION` or `POST_OPERATION`.
        function: what runs.
        rank: its place among the steps of the same message, table and stage.
        mode: asynchronous steps run as background jobs after the message.
        filtering: columns of which an Update must name one; none: it always runs.
        pre_image: columns of the record as it was; empty: all, None: no image.
        post_image: columns of the record as it is behind the main operation, likewise.

    Raises:
        ValueError: such a step cannot be.
    """

    message: str
    table: str | None
    stage: Stage
    function: PluginFunction
    rank: int = 1
    mode: Mode = Mode.SYNCHRONOUS
    filtering: Collection[str] = ()
    pre_image: Collection[str] | None = None
    post_image: Collection[str] | None = None

    def __post_init__(self) -> None:
        flaw = next((text for is_so, text in self._flaws() if is_so), None)
        if flaw is not None:
            raise ValueError(f"{self.name}: {flaw}")

    @property
    def name(self) -> str:
        """What the step is called in lists."""
        return f"{type_name(self.function)}: {self.message} of {self.table or 'any Entity'}"

    def _flaws(self) -> Iterator[tuple[bool, str]]:
        after = self.stage is Stage.POST_OPERATION
        yield self.message in _WITHOUT_STEPS, f"there are no steps for {self.message}, only for what it consists of."
        yield self.stage is Stage.MAIN, "a step runs before or behind the main operation, not in it."
        yield self.mode is Mode.ASYNCHRONOUS and not after, "an asynchronous step runs at POST_OPERATION."
        yield bool(self.filtering) and self.message != "Update", "only steps for Update have filtering columns."
        yield self.pre_image is not None and self.message == "Create", "there is no image of what was not there."
        yield self.post_image is not None and self.message == "Delete", "there is no image of what is deleted."
        yield self.post_image is not None and not after, "there is a post-image at POST_OPERATION only."
        for names in (self.filtering, self.pre_image, self.post_image):
            yield isinstance(names, str), f"'{names}' must be a list of columns."


@dataclass(frozen=True, slots=True)
class PluginApi:
    """A custom API and the function that is its main operation (None: it has none; others may register steps).

    Attributes:
        name: its unique name, with the customization prefix of a publisher.
        function: its main operation.
        parameters: its request parameters.
        properties: its response properties.
        binding: what it is called on.
        table: the table that it is bound to, None where it is global.
        is_function: whether it is called with GET.
        is_private: whether `$metadata` keeps silent about it.
        execute_privilege: the privilege it takes to call it; empty: every user may.
        allowed_steps: which steps others may register for it.
        display_name: what people call it; its name when empty.
        description: what it does.

    Raises:
        ValueError: such a custom API cannot be.
    """

    name: str
    function: PluginFunction | None = None
    parameters: Sequence[CustomApiParameter] = ()
    properties: Sequence[CustomApiParameter] = ()
    binding: BindingType = BindingType.GLOBAL
    table: str | None = None
    is_function: bool = False
    is_private: bool = False
    execute_privilege: str = ""
    allowed_steps: AllowedSteps = AllowedSteps.NONE
    display_name: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        flaw = flaw_of_api(self.name, is_bound=self.binding is not BindingType.GLOBAL, table=self.table or "")
        if flaw is None and self.is_function and not self.properties:
            flaw = f"The function {self.name} has no response property."
        for parts in (self.parameters, self.properties):
            if len({part.name.lower() for part in parts}) < len(parts):
                flaw = flaw or f"Two parameters or properties of {self.name} have the same name."
        if flaw is not None:
            raise ValueError(flaw)


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a distribution registers: the object that its entry point names.

    Attributes:
        steps: functions that run around messages.
        custom_apis: messages of its own.
        types: further functions that rows of custom APIs may name as their plug-in type.
    """

    steps: Sequence[PluginStep] = ()
    custom_apis: Sequence[PluginApi] = ()
    types: Sequence[PluginFunction] = ()

    def functions(self) -> Mapping[str, PluginFunction]:
        """Return all its functions by the names of their plug-in types."""
        own = (api.function for api in self.custom_apis if api.function is not None)
        return {type_name(one): one for one in (*(step.function for step in self.steps), *own, *self.types)}
