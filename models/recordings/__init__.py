from . import (
    ir_attachment,
    ir_binary,
    mango_account,
    mango_call,
    mango_recording,
    mango_recording_fetch,
    mango_recording_play,
    res_config_settings,
    res_partner,
)
