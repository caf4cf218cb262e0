from . import mango_connection_check
