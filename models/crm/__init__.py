from . import (
    crm_lead,
    mango_account,
    mango_call,
    mango_call_outcome,
    mango_card_content,
    mango_chatter_line,
    mango_client_lead,
    mango_crm_task,
    mango_line,
    mango_recording,
    mango_source_report,
    visitor_query,
)
