"""``ctx`` in compiled code: the engine's record with the methods of ``traider.kernel.context``."""

from typing import Any

from numba import types
from numba.core.datamodel import models
from numba.core.imputils import lower_builtin
from numba.core.typing import templates
from numba.extending import infer_getattr, intrinsic, register_model
from numba.np import numpy_support

from .context import METHODS
from .layout import DESK

DESK_TYPE = numpy_support.from_dtype(DESK)


class ContextType(types.Type):
    def __init__(self) -> None:
        super().__init__(name="traider.Context")


CONTEXT = ContextType()


@register_model(ContextType)
class _ContextModel(models.ProxyModel):
    """The same pointer as the record's."""

    def __init__(self, manager: Any, type_: Any) -> None:
        super().__init__(manager, type_)
        self._proxied_model = manager.lookup(DESK_TYPE)


@intrinsic
def as_context(typing_context: Any, desk: Any) -> Any:
    """The record as ``ctx``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return args[0]

    return CONTEXT(desk), generate


@infer_getattr
class _ContextAttributes(templates.AttributeTemplate):
    key = ContextType

    def generic_resolve(self, context_type: ContextType, name: str) -> Any:
        if name not in METHODS:
            return None
        dispatcher = types.Dispatcher(METHODS[name])

        class Method(templates.AbstractTemplate):
            key = (ContextType, name)

            def generic(self, args: Any, kws: Any) -> Any:
                signature = dispatcher.get_call_type(self.context, (DESK_TYPE, *args), kws)
                return signature.replace(args=(CONTEXT, *signature.args[1:])).as_method()

        return types.BoundFunction(Method, context_type)


def _implement(name: str) -> None:
    @lower_builtin((ContextType, name), ContextType, types.VarArg(types.Any))
    def call(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        direct = signature.replace(args=(DESK_TYPE, *signature.args[1:]))
        function = context.get_function(types.Dispatcher(METHODS[name]), direct)
        result = function(builder, args)
        context.add_linking_libs(getattr(function, "libs", ()))
        return result


for _name in METHODS:
    _implement(_name)
