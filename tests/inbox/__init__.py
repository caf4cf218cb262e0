from . import (
    test_event_cleaning,
    test_hostile,
    test_late_callbacks,
    test_queue,
    test_refusals,
    test_slots,
    test_webhook,
)
