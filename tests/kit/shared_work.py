"""What many applications in one process need not make again: every test opens its own.

SQLAlchemy keeps compiled statements by dialect, and every engine has a new one; werkzeug compiles
each rule and Jinja each template of each application; texts, replies and questions are read from
files. Without these they would be most of a test's set-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import pytest
from flask import Flask
from jinja2 import Environment
from sqlalchemy import Engine
from sqlalchemy.engine import Compiled
from werkzeug.routing import Rule
from werkzeug.routing.matcher import State, StateMachineMatcher

import server.app
from server.base.settings import Operator, Settings
from server.base.sql.database import open_engine
from server.base.sql.patience import Use
from server.base.sql.tables import Base
from server.base.texts import load_texts
from server.channel import callback_handler, loading, reply_rule_cache
from server.channel.loading import ReplyBook, Shipped
from server.quiz.bank import commands as bank_commands
from server.quiz.bank.files.reading import ReadingOptions, read_table
from server.quiz.bank.picture_imports import read_file
from server.quiz.contests import commands as contest_commands
from server.quiz.contests.commands import QUESTIONS

Read = TypeVar("Read")


class SharedStatements(MutableMapping[Any, Compiled]):
    """A cache of compiled statements by the name of the dialect instead of the dialect."""

    def __init__(self) -> None:
        self._kept: dict[Any, Compiled] = {}

    def __getitem__(self, key: Any) -> Compiled:
        return self._kept[key[0].name, *key[1:]]

    def __setitem__(self, key: Any, compiled: Compiled) -> None:
        self._kept[key[0].name, *key[1:]] = compiled

    def __delitem__(self, key: Any) -> None:
        del self._kept[key[0].name, *key[1:]]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


_STATEMENTS = SharedStatements()


@contextmanager
def shared_work() -> Iterator[None]:
    """Share this work between all applications that are opened inside the block."""
    for mapper in Base.registry.mappers:
        # A flush keeps its statements apart, in each mapper.
        mapper.__dict__["_compiled_cache"] = SharedStatements()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server.app, "open_engine", _open_sharing_engine)
        patch.setattr(server.app, "load_texts", cache(load_texts))
        patch.setattr(callback_handler, "read_shipped", cache(loading.read_shipped))
        patch.setattr(reply_rule_cache, "shipped_book", _share_books(loading.shipped_book))
        patch.setattr(bank_commands, "read_file", _share_questions(read_file))
        patch.setattr(contest_commands, "read_table", _share_questions(read_table))
        patch.setattr(Environment, "compile", _share_templates(Environment.compile))
        patch.setattr(Rule, "compile", _share_compiled(Rule.compile))
        collect_rule, build_once = _share_matchers()
        patch.setattr(StateMachineMatcher, "add", collect_rule)
        patch.setattr(StateMachineMatcher, "update", build_once)
        yield


def _open_sharing_engine(app: Flask, settings: Settings, use: Use = Use.REQUESTS) -> Engine:
    """The product's engine, with the compiled statements of all earlier engines."""
    engine = open_engine(app, settings, use)
    engine.update_execution_options(compiled_cache=_STATEMENTS)
    return engine


def _share_compiled(compile_rule: Callable[[Rule], None]) -> Callable[[Rule], None]:
    """Compile equal rules of maps with equal converters once; rules only read the outcome."""
    compiled: dict[object, Rule] = {}

    def compile_once(rule: Rule) -> None:
        if rule.map is None or rule.map.host_matching or rule.defaults:
            compile_rule(rule)
            return
        spelled = (rule.rule, rule.subdomain, rule.merge_slashes)
        first = compiled.get(key := (*spelled, *rule.map.converters.items()))
        if first is None:
            compile_rule(rule)
            compiled[key] = rule
            return
        rule._parts, rule._trace = first._parts, first._trace
        rule._converters, rule.arguments = first._converters, set(first.arguments)
        rule._build = first._build.__func__.__get__(rule, None)  # type: ignore[attr-defined]
        rule._build_unknown = first._build_unknown.__func__.__get__(rule, None)  # type: ignore[attr-defined]

    return compile_once


def _share_matchers() -> tuple[Callable[..., None], Callable[..., None]]:
    """Build the tree of equal lists of rules once; a match reads the rules alone, not their map."""
    add, update = StateMachineMatcher.add, StateMachineMatcher.update
    collected: WeakKeyDictionary[StateMachineMatcher, list[Rule]] = WeakKeyDictionary()
    built: dict[object, State] = {}

    def collect_rule(matcher: StateMachineMatcher, rule: Rule) -> None:
        collected.setdefault(matcher, []).append(rule)

    def build_once(matcher: StateMachineMatcher) -> None:
        rules = collected.get(matcher, [])
        key = (matcher.merge_slashes, *map(_spell_rule, rules))
        if key not in built:
            matcher._root = State()
            for rule in rules:
                add(matcher, rule)
            update(matcher)
            built[key] = matcher._root
        matcher._root = built[key]

    return collect_rule, build_once


def _spell_rule(rule: Rule) -> object:
    """What decides where a rule matches, and how Flask answers by it."""
    assert rule.map is not None
    methods = None if rule.methods is None else frozenset(rule.methods)
    flags = (rule.strict_slashes, rule.merge_slashes, rule.websocket, rule.alias, rule.build_only)
    whole = (rule.rule, rule.host, rule.subdomain, rule.endpoint, methods, flags)
    by_flask = getattr(rule, "provide_automatic_options", None)
    told = (by_flask, repr(rule.defaults), rule.redirect_to)
    return (*whole, *told, *rule.map.converters.items())


def _share_templates(compile_template: Callable[..., Any]) -> Callable[..., Any]:
    """Compile equal templates of equally set environments once."""
    compiled: dict[object, Any] = {}

    def compile_once(
        environment: Environment,
        source: Any,
        name: str | None = None,
        filename: str | None = None,
        **asked: bool,
    ) -> Any:
        if asked or not isinstance(source, str):
            return compile_template(environment, source, name, filename, **asked)
        options = (environment.autoescape, environment.trim_blocks, environment.lstrip_blocks)
        key = (source, name, filename, options, *environment.extensions)
        if key not in compiled:
            compiled[key] = compile_template(environment, source, name, filename)
        return compiled[key]

    return compile_once


def _share_books(shipped_book: Callable[[Shipped, Operator], ReplyBook]) -> Callable[..., Any]:
    """Make the book of shipped replies once for each operator; nothing changes a book."""
    made: dict[tuple[int, Operator], tuple[Shipped, ReplyBook]] = {}

    def make_once(shipped: Shipped, operator: Operator) -> ReplyBook:
        key = (id(shipped), operator)
        if key not in made:
            # With its source, whose id is then not used again.
            made[key] = shipped, shipped_book(shipped, operator)
        return made[key][1]

    return make_once


def _share_questions(read: Callable[..., Read]) -> Callable[..., Read]:
    """Read the shipped file of questions once, wherever it is read without options."""
    read_shipped = cache(read)

    def read_once(path: Path, said: ReadingOptions | None = None) -> Read:
        shipped = said is None and path == QUESTIONS
        return read_shipped(path) if shipped else read(path, said)

    return read_once
