from . import test_callback_fold, test_callbacks
