from . import (
    test_vpbx_call_state,
    test_vpbx_client,
    test_vpbx_client_statistics,
    test_vpbx_codes,
    test_vpbx_notifications,
    test_vpbx_numbers,
    test_vpbx_pseudonyms,
    test_vpbx_recordings,
    test_vpbx_signature,
    test_vpbx_statistics,
    test_vpbx_surprises,
)
