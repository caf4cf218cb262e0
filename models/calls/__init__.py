from . import (
    base_partner_merge_automatic_wizard,
    crm_lead,
    mango_call,
    mango_call_apply,
    mango_call_leg,
    mango_call_participants,
    mango_call_task,
    mango_caller_lookup,
    mango_extension,
    mango_timeline,
    res_partner,
    res_users,
)
