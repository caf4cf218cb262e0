from . import mango_callback_decision, mango_connection_check, mango_history_start
