from . import (
    ir_ui_view,
    mango_account,
    mango_call,
    mango_call_leg,
    mango_command,
    mango_event,
    mango_timeline,
    res_users,
)
