"""What is declared of one setting of a run, and what follows from it.

Light: flags are defined from it before Keras, TensorFlow or data are there.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

from dlfa_tf import checks

REQUIRED = dataclasses.MISSING
# What a setting belongs to, and whether a table of runs that differ in one of
# them is refused, names it, or is free to mix them, unless it says otherwise.
GROUPS = {
    "data": "refused",  # a bundle holds it
    "model": "named",  # arguments of `DLFABackbone`
    "gate": "named",  # the same, which only equation 2 has
    "training": "refused",
    "evaluation": "free",  # a bundle holds it too
    "place": "free",  # may differ when a run goes on
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting: what it means, which values it takes, what it decides.

    Attributes:
        help: str, what it is, without the final full stop.
        of: str, what it belongs to, one of `GROUPS`.
        in_tables: str, `refused`, `named` or `free`; see `GROUPS`.
        unset: str, what holds where the flag is not given, in words: then
            the flag has no value, and task or recipe may decide. Without
            words the flag has the default.
        zero_is_none: bool, whether 0 given to a flag means None.
        choices: values accepted; see `check`.
        aliases: from what others call a choice to the choice.
        check: function that raises ValueError for a value; it decides in
            place of `choices`, which are only shown then.
        parse: function from the text of a flag to the value.
        low: least number accepted.
        positive: bool, whether a number must be above 0.
        below: number that a value must stay below.
        finite: bool, whether a float must be.
        has_flag: bool, whether programs have a flag of it.
        to_plain: function from a value to what JSON has; None for a kind
            that JSON knows.
        from_plain: the way back.
        default: the value of a config that says nothing, or `REQUIRED`.
        name: str, that of the field and of the flag.
        kind: type of the value: str, int, float, bool or tuple.
        optional: bool, whether it may be None.
    """

    help: str
    of: str
    in_tables: str
    unset: str = ""
    zero_is_none: bool = False
    choices: tuple[str, ...] = ()
    aliases: Mapping[str, str] = dataclasses.field(default_factory=dict)
    check: Callable[[Any], None] | None = None
    parse: Callable[[str], Any] | None = None
    low: int | None = None
    positive: bool = False
    below: int | None = None
    finite: bool = True
    has_flag: bool = True
    to_plain: Callable[[Any], Any] | None = None
    from_plain: Callable[[Any], Any] | None = None
    default: Any
    name: str = ""
    kind: type = str
    optional: bool = False

    @property
    def accepted(self) -> str:
        """The values accepted, in words; empty for any of its kind."""
        if self.choices:
            return ", ".join(self.choices)
        least = "above 0" if self.positive else f"{self.low}"
        if self.below is not None:
            joint = "and" if self.positive else "to"
            return f"{least} {joint} below {self.below}"
        if self.positive:
            return least
        return "" if self.low is None else f"{least} or more"

    def check_value(self, value: Any) -> None:
        """Refuses a value that the setting does not take, with ValueError.

        A list that is no tuple raises TypeError.
        """
        if value is None and self.optional:
            return
        if self.kind is tuple:
            self._check_tuple(value)
            if self.check is not None:
                self.check(value)
        elif self.check is not None:
            self.check(value)
        elif self.choices and value not in self.choices:
            accepted = [*self.choices, *([None] if self.optional else [])]
            meant = self.aliases.get(str(value).casefold(), value)
            raise ValueError(
                f"`{self.name}` is unknown. Received: {value!r}. Accepted: "
                f"{accepted}." + checks.nearest_hint(meant, self.choices)
            )
        elif self.low is not None or self.positive:
            self._check_number(value)

    def _check_tuple(self, value: Any) -> None:
        if not isinstance(value, tuple):
            raise TypeError(
                f"`{self.name}` must be a tuple. Received: {value!r} of type "
                f"{type(value).__name__}."
            )
        if not value:
            raise ValueError(
                f"`{self.name}` is empty. Received: (). Accepted: one or more."
            )

    def _check_number(self, value: float) -> None:
        must_be_finite = self.kind is float and self.finite
        if (
            (self.low is None or value >= self.low)
            and (value > 0 or not self.positive)
            and (self.below is None or value < self.below)
            and (math.isfinite(value) or not must_be_finite)
        ):
            return
        if self.below is not None:
            wrong = "is out of range"
        elif self.positive:
            wrong = "must be positive and finite"
        elif must_be_finite:
            wrong = "must be finite and not negative"
        else:
            wrong = "is too small"
        raise ValueError(
            f"`{self.name}` {wrong}. Received: {value}. Accepted: "
            f"{self.accepted}{', or None' if self.optional else ''}."
        )

    def to_json(self, value: Any) -> Any:
        """A value as JSON has it."""
        if self.to_plain is not None and value is not None:
            return self.to_plain(value)
        if value is None:
            return None
        return list(value) if self.kind is tuple else value

    def from_json(self, value: Any) -> Any:
        """A value of JSON, or of a flag, as a config has it."""
        if self.from_plain is not None and value is not None:
            return self.from_plain(value)
        if value is None:
            return None
        return tuple(value) if self.kind is tuple else value


def to_json(config: Any, settings: Mapping[str, Setting]) -> dict[str, Any]:
    """The values of a config as JSON has them.

    Args:
        config: object with an attribute for each setting.
        settings: from name to `Setting`.

    Returns:
        dict from name to plain value.
    """
    return {
        name: declared.to_json(getattr(config, name))
        for name, declared in settings.items()
    }


def check_same(
    saved: Mapping[str, Any],
    asked: Mapping[str, Any],
    free: Collection[str],
    folder: str,
    kind: str,
    file: str,
) -> None:
    """Refuses values that differ, but for those that are free to.

    Args:
        saved: from name to value, as `to_json` gives them.
        asked: the same; a name that is in one of them alone counts as `None`
            in the other.
        free: names that may differ.
        folder: str, holds the saved values.
        kind: str, what they are of, with an article: `a run`.
        file: str, name of their file in the folder.

    Raises:
        ValueError: names what differs with both values, folder and file.
    """
    differing = [
        f"{name}={asked.get(name)!r} (the {kind.split()[-1]} has "
        f"{saved.get(name)!r})"
        for name in sorted(set(saved) | set(asked))
        if name not in free and asked.get(name) != saved.get(name)
    ]
    if differing:
        raise ValueError(
            f"{folder!r} holds {kind} with other settings, which is never "
            f"overwritten. Received: {', '.join(differing)}. Accepted: the "
            f"settings in its {file}, or another `output_dir`."
        )


def setting(
    of: str,
    help: str,
    default: Any = ...,
    *,
    choices: tuple[str, ...] = (),
    **declared: Any,
) -> Any:
    """Declares a field of a config; for the arguments see `Setting`.

    Without `default` it is the first of `choices`; without these the field has
    to be given.
    """
    if default is ...:
        default = choices[0] if choices else REQUIRED
    declared = {"in_tables": GROUPS[of], "choices": choices, **declared}
    made = Setting(of=of, help=help, default=default, **declared)
    return dataclasses.field(default=default, metadata={"setting": made})


def settings_of(config: Any) -> dict[str, Setting]:
    """The settings that a dataclass declares, by name, in its order."""
    hints = typing.get_type_hints(config)
    found = {}
    for field in dataclasses.fields(config):
        hint = hints[field.name]
        optional = isinstance(hint, types.UnionType)
        kind = typing.get_args(hint)[0] if optional else hint
        found[field.name] = dataclasses.replace(
            field.metadata["setting"],
            name=field.name,
            kind=typing.get_origin(kind) or kind,
            optional=optional,
        )
    return found
