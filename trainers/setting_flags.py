"""Flags of the settings of a run, made from their one declaration."""

import dataclasses
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

from absl import flags

from dlfa_tf.runs.setting import REQUIRED
from dlfa_tf.runs.setting import Setting
from dlfa_tf.runs.settings import SETTINGS
from trainers import common_flags

FLAGS = flags.FLAGS


class _Parser(flags.IntegerParser):
    """Reads numbers that have another spelling besides."""

    def __init__(self, parse: Callable[[str], int], lower_bound: int) -> None:
        super().__init__(lower_bound=lower_bound)
        self._parse = parse

    def convert(self, argument: int | str) -> int:
        return self._parse(str(argument))


def define(*names: str, required: bool = False, **changes: Any) -> None:
    """Defines flags of the settings with these names.

    `changes` are attributes of `Setting` that are others in this program, such
    as `help`, `unset` and `default`.
    """
    for name in names:
        _define(dataclasses.replace(SETTINGS[name], **changes), required)


def define_settings(settings: Mapping[str, Setting]) -> None:
    """Defines the flags of all settings of another config."""
    for setting in settings.values():
        _define(setting, setting.default is REQUIRED)


def define_all(without: Collection[str] = ()) -> None:
    """Defines the flag of every setting but those in `without`."""
    define(
        *(
            name
            for name, setting in SETTINGS.items()
            if setting.has_flag and name not in without
        )
    )


def _define(setting: Setting, required: bool) -> None:
    open_ended = setting.unset or setting.default is REQUIRED
    default = None if open_ended else setting.to_json(setting.default)
    unset = f"; default {setting.unset}" if setting.unset else ""
    text = f"{setting.help}{unset}."
    low: Any = 0 if setting.positive or setting.zero_is_none else setting.low
    given: dict[str, Any] = {"required": required}
    if setting.kind is tuple:
        flags.DEFINE_list(setting.name, default, text, **given)
        if setting.check is not None:
            flags.register_validator(setting.name, _passes(setting.check))
    elif setting.check is not None:
        text = f"<{'|'.join(setting.choices)}>: {text}"
        flags.DEFINE_string(setting.name, default, text, **given)
        flags.register_validator(setting.name, _passes(setting.check))
    elif setting.choices:
        given["aliases"] = setting.aliases
        common_flags.define_choice(
            setting.name, default, setting.choices, text, **given
        )
    elif setting.parse is not None:
        parser = _Parser(setting.parse, lower_bound=low)
        flags.DEFINE(parser, setting.name, default, text, **given)
    elif setting.kind is int:
        flags.DEFINE_integer(setting.name, default, text, low, **given)
    elif setting.kind is float:
        given["upper_bound"] = setting.below
        flags.DEFINE_float(setting.name, default, text, low, **given)
    elif setting.kind is bool:
        flags.DEFINE_bool(setting.name, default, text, **given)
    else:
        flags.DEFINE_string(setting.name, default, text, **given)


def _passes(check: Callable[[Any], None]) -> Callable[[Any], bool]:
    def validator(value: Any) -> bool:
        try:
            # Whether a flag has to be given is asked elsewhere.
            if value is not None:
                check(value)
        except (ValueError, OSError) as error:
            raise flags.ValidationError(
                common_flags.with_accepted(error)
            ) from error
        return True

    return validator


def refuse_gate_of_baseline() -> None:
    """Makes options of a gate an error where --fusion_layer was forgotten.

    For a program that trains one system. A sweep hands the same options to
    all systems, and names the fusion of each: --fusion=dlfa without a block
    is a baseline that was meant.
    """

    def check(values: dict[str, Any]) -> bool:
        given = [
            f"--{name}"
            for name, setting in SETTINGS.items()
            if setting.of == "gate" and FLAGS[name].present
        ]
        fused = values["fusion_layer"] is not None
        if fused or FLAGS["fusion"].present or not given:
            return True
        raise flags.ValidationError(
            f"without --fusion_layer the baseline is trained, which has no "
            f"gate. Received: {', '.join(given)}. Accepted: --fusion_layer=9 "
            "or another block with them; none of them for the baseline."
        )

    flags.register_multi_flags_validator(["fusion_layer", "fusion"], check)


def values(settings: Mapping[str, Setting] = SETTINGS) -> dict[str, Any]:
    """Values of all settings that the program has flags of."""
    return {
        name: setting.from_json(FLAGS[name].value)
        for name, setting in settings.items()
        if name in FLAGS
    }
