"""Records with methods in compiled code: what a handler is given that it can ask something of."""

from collections.abc import Mapping
from typing import Any

from numba import types
from numba.core.datamodel import models
from numba.core.imputils import lower_builtin
from numba.core.typing import templates
from numba.extending import infer_getattr, intrinsic, register_model


def handle(name: str, record_type: Any, methods: Mapping[str, Any]) -> Any:
    """An intrinsic that takes a record and gives it as a type whose methods are these compiled functions over the record."""

    class HandleType(types.Type):
        def __init__(self) -> None:
            super().__init__(name=f"traider.{name}")

    handle_type = HandleType()

    @register_model(HandleType)
    class _Model(models.ProxyModel):
        """The same pointer as the record's."""

        def __init__(self, manager: Any, type_: Any) -> None:
            super().__init__(manager, type_)
            self._proxied_model = manager.lookup(record_type)

    @infer_getattr
    class _Attributes(templates.AttributeTemplate):
        key = HandleType

        def generic_resolve(self, value: Any, attribute: str) -> Any:
            if attribute not in methods:
                return None
            dispatcher = types.Dispatcher(methods[attribute])

            class Method(templates.AbstractTemplate):
                key = (HandleType, attribute)

                def generic(self, args: Any, kws: Any) -> Any:
                    signature = dispatcher.get_call_type(self.context, (record_type, *args), kws)
                    return signature.replace(args=(handle_type, *signature.args[1:])).as_method()

            return types.BoundFunction(Method, value)

    for method in methods:
        _implement(HandleType, record_type, methods, method)

    @intrinsic
    def as_handle(typing_context: Any, record: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return args[0]

        return handle_type(record_type), generate

    return as_handle


def _implement(handle_class: Any, record_type: Any, methods: Mapping[str, Any], method: str) -> None:
    @lower_builtin((handle_class, method), handle_class, types.VarArg(types.Any))
    def call(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        direct = signature.replace(args=(record_type, *signature.args[1:]))
        function = context.get_function(types.Dispatcher(methods[method]), direct)
        result = function(builder, args)
        context.add_linking_libs(getattr(function, "libs", ()))
        return result
