from . import (
    test_board_figures,
    test_call_report,
    test_dashboards,
    test_insight_ui,
)
