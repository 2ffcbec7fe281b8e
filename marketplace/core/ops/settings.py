"""A setting says itself once: what it is called, what it may be, what it does; the environment and the pages follow."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from environs import Env, EnvValidationError, ValidationError, validate
from flask.cli import NoAppException

from marketplace.core.ops.setting_forms import Form, one_line

A_CENTURY = 36_500  # days
LARGEST = 2**40
SAME: Any = object()
CLOSE = 0.85


class ConfigurationError(NoAppException):
    """Settings that are missing, wrong or unsafe, all named at once: a sentence each, a line each.

    Flask's command line shows such an error as it is, and goes on where a command needs no application."""

    exit_code = 1

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences

    def show(self, file: Any = None) -> None:
        """Click's `show` without the usage line: the command was not wrong."""
        self.ctx = None
        super().show(file)


@dataclass(frozen=True, slots=True)
class Setting:
    """`key` is its name in `app.config`, where that is another; `times` what the number is multiplied with there."""

    name: str
    kind: str
    default: Any
    about: str
    must_be: str
    production: Any = SAME
    key: str = ""
    times: int = 1
    validate: Callable[[Any], object] | None = None
    is_secret: bool = False
    shown: str = ""

    def default_in(self, *, production: bool) -> object:
        """The default of this environment."""
        return self.production if production and self.production is not SAME else self.default

    def sentence(self, value: str) -> str:
        """The sentence that says what a wrong value must be; secrets are not repeated."""
        told = "" if self.is_secret or len(value) > 60 else f", not {value!r}"
        return f"{self.name} must be {self.must_be}{told}."


class Group:
    """Settings under one title of docs/settings.md."""

    def __init__(self, title: str, *settings: Setting) -> None:
        self.title, self.settings = title, settings


def text(name: str, default: str, about: str, *, form: Form | None = one_line, **more: Any) -> Setting:
    """A string setting; `form` says what it must look like."""
    must_be = form.words if form else "a text"
    return Setting(name, "str", default, about, must_be, validate=_each(form) if form else None, **more)


def secret(name: str, about: str, *, form: Form = one_line, **more: Any) -> Setting:
    """A string setting that is never shown in documents or errors."""
    return text(name, "", about, form=form, is_secret=True, **more)


def words(name: str, default: Sequence[str], about: str, *, form: Form = one_line, **more: Any) -> Setting:
    """A list of strings, with commas between them."""
    return Setting(name, "list", list(default), about, form.words, validate=_each(form), **more)


def choices(name: str, default: Sequence[str], about: str, *, among: Sequence[str], **more: Any) -> Setting:
    """A list of words out of a fixed set, with commas between them."""
    form = Form(f"some of {', '.join(among)}, with commas between them", lambda word: word in among)
    return words(name, default, about, form=form, **more)


def choice(name: str, default: str, about: str, *, among: Sequence[str], **more: Any) -> Setting:
    """One word out of a fixed set; letter case does not matter."""
    must_be = f"{', '.join(among[:-1])} or {among[-1]}"
    return Setting(name, "choice", default, about, must_be, validate=Choice(tuple(among)), **more)


def switch(name: str, default: bool, about: str, **more: Any) -> Setting:
    """A boolean setting."""
    return Setting(name, "bool", default, about, "1 or 0 (also yes or no, on or off, true or false)", **more)


def whole(name: str, default: int, about: str, *, least: int = 0, most: int = 10**9, **more: Any) -> Setting:
    """An integer setting from `least` to `most`."""
    must_be = f"a whole number from {least:,} to {most:,}"
    return Setting(name, "int", default, about, must_be, validate=validate.Range(least, most), **more)


def days(name: str, default: int, about: str, *, least: int = 0, **more: Any) -> Setting:
    """An integer setting in days, at most a century."""
    return whole(name, default, about, least=least, most=A_CENTURY, **more)


def size(name: str, default: int, about: str, **more: Any) -> Setting:
    """An integer setting in bytes, at most LARGEST."""
    return whole(name, default, about, least=1, most=LARGEST, **more)


def seconds(name: str, default: float, about: str, *, least: float, most: float, **more: Any) -> Setting:
    """A float setting in seconds."""
    must_be = f"a number from {least:g} to {most:g}"
    return Setting(name, "float", default, about, must_be, validate=validate.Range(least, most), **more)


@dataclass(frozen=True, slots=True)
class Choice:
    """Validator for one word out of a set, whatever its case; `written` gives its spelling in the set."""

    among: tuple[str, ...]

    def __call__(self, value: str) -> None:
        """Raises ValidationError."""
        if value.lower() not in map(str.lower, self.among):
            raise ValidationError(value)

    def written(self, value: str) -> str:
        """The word as it is written in the list."""
        return next(word for word in self.among if word.lower() == value.lower())


class GivenEnv(Env):
    """Reads the mapping it is given where the library reads the process's environment; what is empty is not set."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self.given = given

    def _get_value(self, env_key: str, default: Any) -> object:
        return self.given.get(env_key, "").strip() or default


def read(
    settings: Iterable[Setting], given: Mapping[str, str], *, production: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    """Key → value of each, the default where the value is wrong; name → sentence of those that are."""
    every = {setting.name: setting for setting in settings}
    env = GivenEnv(given)
    values = {one.key or one.name: _value(env, one, production=production) for one in every.values()}
    try:
        env.seal()
    except EnvValidationError as error:
        return values, {name: every[name].sentence(given[name].strip()) for name in error.error_messages}
    return values, {}


def _value(env: GivenEnv, setting: Setting, *, production: bool) -> object:
    default = setting.default_in(production=production)
    more = {"subcast": str.strip} if setting.kind == "list" else {}
    value = _parser(env, setting.kind)(setting.name, default, validate=setting.validate, **more)
    if value is None:
        value = default
    if setting.kind == "list":
        return [word for word in value if word]
    if isinstance(setting.validate, Choice):
        return setting.validate.written(value)
    return value * setting.times if setting.times != 1 else value


def _parser(env: GivenEnv, kind: str) -> Callable[..., Any]:
    parsers: dict[str, Callable[..., Any]] = {"int": env.int, "float": env.float, "bool": env.bool, "list": env.list}
    return parsers.get(kind, env.str)


def misspelt(settings: Iterable[Setting], given: Iterable[str]) -> list[str]:
    """A sentence for each environment variable whose name is almost that of a setting."""
    ours = {setting.name for setting in settings}
    strange = sorted(name for name in set(given) - ours if name.isupper() and len(name) > 3)
    near = ((name, difflib.get_close_matches(name, ours, 1, CLOSE)) for name in strange)
    return [f"There is no setting {name}: did you mean {found[0]}?" for name, found in near if found]


def _each(form: Form) -> Callable[[str | list[str]], None]:
    def check(value: str | list[str]) -> None:
        for word in value if isinstance(value, list) else [value]:
            if word and not form.takes(word):
                raise ValidationError(word)

    return check
