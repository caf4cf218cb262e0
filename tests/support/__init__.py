from . import (
    test_first_day,
    test_self_test,
    test_support_export,
    test_support_replay,
    test_surprises,
)
