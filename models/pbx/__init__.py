from . import (
    mail_thread_phone,
    mango_account,
    mango_circuit_breaker,
    mango_connection_check,
    mango_device,
    mango_error_message,
    mango_extension,
    mango_line,
    res_company,
    res_config_settings,
    res_partner,
    res_users,
)
