from . import (
    ir_ui_view,
    mango_account,
    mango_call,
    mango_command,
    mango_event,
    res_users,
)
