from . import test_js, test_rights, test_ui
from .callbacks import (
    test_callback_fold,
    test_callbacks,
)
from .calls import (
    test_call_apply,
    test_caller_lookup,
    test_concurrency,
    test_order,
)
from .click_to_call import (
    test_click_to_call,
    test_spending,
)
from .history import (
    test_statistics_import,
)
from .inbox import (
    test_event_cleaning,
    test_hostile,
    test_queue,
    test_refusals,
    test_slots,
    test_webhook,
)
from .insight import (
    test_board_figures,
    test_call_report,
    test_dashboards,
    test_insight_ui,
)
from .pbx import (
    test_access,
    test_circuit_breaker,
    test_connection_check,
    test_loading,
    test_mapping,
    test_secrets,
    test_settings,
)
from .recordings import (
    test_recording_fetch,
    test_recording_keeping,
    test_recording_load,
    test_recording_rights,
)
from .routing import (
    test_reroute,
    test_route_command,
    test_route_decision,
    test_route_plan,
    test_routing,
)
from .screen import (
    test_call_card,
    test_recent_calls,
)
from .vpbx import (
    test_vpbx_call_state,
    test_vpbx_client,
    test_vpbx_client_statistics,
    test_vpbx_codes,
    test_vpbx_notifications,
    test_vpbx_numbers,
    test_vpbx_recordings,
    test_vpbx_signature,
    test_vpbx_statistics,
)
