"""Annotations are checked at run time, shapes too: of every function and data class of the package, at every call.

jaxtyping has an import hook of its own, which checks parameters twice and binds the signature of every call: a third
of the time of the tests.
"""

from __future__ import annotations

import ast
import dataclasses
import sys
from collections.abc import Callable
from functools import wraps
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any, get_args

from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray, jaxtyped

NAME = "__checked__"  # of `checked` in the modules that are checked
held_to_annotations = beartype(conf=BeartypeConf(is_pep484_tower=True))  # whole numbers may stand for floats


def check(package: str) -> None:
    """Check `package`, none of which may have been imported yet."""
    assert package not in sys.modules
    sys.meta_path.insert(0, _Finder(package))


def checked(target: Any) -> Any:
    """A function held to its annotations, which are read at its first call; a data class whose `__init__` is."""
    if isinstance(target, type):
        if dataclasses.is_dataclass(target):
            target.__init__ = checked(target.__init__)
        return target
    held = None

    @wraps(target)
    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        nonlocal held
        if held is None:
            held = _held(target)
        return held(*args, **kwargs)

    return call


def _held(function: Callable[..., Any]) -> Callable[..., Any]:
    function.__annotations__ = {name: _read(hint, function) for name, hint in function.__annotations__.items()}
    held = held_to_annotations(function)
    if not any(map(_has_shape, function.__annotations__.values())):
        return held

    def of_one_shape(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        with jaxtyped("context"):  # within which a letter stands for one number
            return held(*args, **kwargs)

    return of_one_shape


def _read(hint: Any, function: Callable[..., Any]) -> Any:
    try:
        return eval(hint, function.__globals__) if isinstance(hint, str) else hint
    except NameError:  # what is imported for the type checker alone
        return Any


def _has_shape(hint: Any) -> bool:
    return (isinstance(hint, type) and issubclass(hint, AbstractArray)) or any(map(_has_shape, get_args(hint)))


class _Finder(MetaPathFinder):
    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] != self.package:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        setattr(module, NAME, checked)
        super().exec_module(module)

    def path_stats(self, path: str) -> Any:
        raise OSError("what is compiled here is not for others")

    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> CodeType:  # type: ignore[override]
        tree = ast.parse(data, path)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                node.decorator_list.insert(0, _decorator(node))  # after @dataclass has been there
            elif isinstance(node, ast.FunctionDef) and not any(map(_excepted, node.decorator_list)):
                node.decorator_list.append(_decorator(node))  # before others hide what is annotated
        return compile(tree, path, "exec", dont_inherit=True, optimize=_optimize)


def _decorator(node: ast.AST) -> ast.expr:
    return ast.fix_missing_locations(ast.copy_location(ast.Name(NAME, ast.Load()), node))


def _excepted(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Name) and decorator.id == "no_type_check"
