from . import test_board, test_call_card, test_recent_calls, test_tips
