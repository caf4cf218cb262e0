from . import mango_connection_check, mango_history_start
