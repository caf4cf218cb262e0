from . import (
    test_blocking,
    test_chatter,
    test_client,
    test_crm_tour,
    test_lead_rules,
    test_leads,
    test_merging,
    test_outcomes,
    test_sources,
)
