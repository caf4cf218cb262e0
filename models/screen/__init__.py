from . import (
    ir_http,
    ir_websocket,
    mango_board,
    mango_call,
    mango_call_presence,
    mango_card_content,
    mango_card_phase,
    mango_extension,
    mango_transfer_target,
    res_users,
)
