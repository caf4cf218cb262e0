from . import (
    test_call_apply,
    test_caller,
    test_js,
    test_queue,
    test_routing,
    test_ui,
    test_vpbx_call_state,
    test_vpbx_codes,
    test_vpbx_notifications,
    test_vpbx_numbers,
    test_vpbx_signature,
    test_webhook,
)
