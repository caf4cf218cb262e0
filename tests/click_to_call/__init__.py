from . import test_click_to_call, test_spending, test_views
