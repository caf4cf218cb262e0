from . import (
    test_access,
    test_circuit_breaker,
    test_company,
    test_connection_check,
    test_error_message,
    test_line,
    test_loading,
    test_mapping,
    test_request,
    test_requests_once,
    test_secrets,
    test_settings,
)
