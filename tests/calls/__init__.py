from . import (
    test_call_apply,
    test_caller_lookup,
    test_concurrency,
    test_group_call,
    test_order,
)
