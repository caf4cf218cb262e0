from . import (
    ir_http,
    mango_account,
    mango_event,
    res_config_settings,
)
