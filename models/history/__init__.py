from . import (
    mango_account,
    mango_call,
    mango_event,
    mango_statistics_import,
    mango_statistics_import_start,
    res_config_settings,
)
