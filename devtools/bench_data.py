"""``./dev bench``: databases of realistic size, filled by SQL and kept.

There are two, so that figures of the large one can be compared with those of the small
one in the same run.
"""

import dataclasses

from . import database
from .console import step

#: Change it when what is filled in changes: the databases are made anew then.
VERSION = 4


@dataclasses.dataclass(frozen=True)
class Size:
    """The size of a database.

    ``open_leads`` of the ``leads`` are neither won nor lost. There are as many leads as
    calls, so that their lists are comparable. The first contact has ``loyal`` calls.
    """

    name: str
    contacts: int
    leads: int
    open_leads: int
    calls: int
    loyal: int

    @property
    def database(self):
        return f"mango_bench_{self.name}_{VERSION}"


SMALL = Size("small", 10_000, 10_000, 3_000, 10_000, 1_000)
MILLION = Size("million", 1_000_000, 1_000_000, 300_000, 1_000_000, 10_000)

#: ``base`` is the last id before ours.
CONTACTS = """
WITH last AS (SELECT max(id) AS base FROM res_partner),
     numbered AS (
         SELECT base + n AS id, 'Контакт ' || n AS name, lpad(n::text, 7, '0') AS tail
           FROM last, generate_series(1, {contacts}) AS n
     )
INSERT INTO res_partner (
    id, name, complete_name, active, type, commercial_partner_id, phone,
    phone_sanitized, lang, is_company, partner_share, color, create_uid, write_uid,
    create_date, write_date
)
SELECT id, name, name, TRUE, 'contact', id,
       format('8 (498) %s-%s', left(tail, 3), right(tail, 4)), '+7498' || tail,
       'en_US', FALSE, TRUE, 0, 1, 1, now() - interval '400 days', now()
  FROM numbered;
SELECT setval('res_partner_id_seq', (SELECT max(id) FROM res_partner));
"""

# Leads of contacts and leads with a number only, alternating.
LEADS = """
WITH contact AS (
         SELECT min(id) AS first FROM res_partner WHERE name LIKE 'Контакт %'
     ),
     staff AS (
         SELECT array_agg(user_id ORDER BY id) AS users FROM mango_extension
          WHERE user_id IS NOT NULL
     ),
     stage AS (
         SELECT min(id) FILTER (WHERE NOT is_won) AS new,
                min(id) FILTER (WHERE is_won) AS won
           FROM crm_stage
     ),
     numbered AS (
         SELECT n, n <= {open_leads} AS is_open, n % 2 = 0 AS is_of_contact,
                lpad(n::text, 7, '0') AS tail
           FROM generate_series(1, {leads}) AS n
     )
INSERT INTO crm_lead (
    name, type, active, priority, partner_id, phone, phone_sanitized, user_id, team_id,
    company_id, stage_id, won_status, probability, expected_revenue, create_uid,
    write_uid, create_date, write_date
)
SELECT 'Заявка ' || n, 'opportunity', TRUE, (n % 3)::text,
       CASE WHEN is_of_contact THEN first + n * 37 % {contacts} END,
       '8 (499) ' || tail, '+7499' || tail, users[1 + n % cardinality(users)], 1, 1,
       CASE WHEN is_open THEN stage.new ELSE stage.won END,
       CASE WHEN is_open THEN 'pending' ELSE 'won' END,
       CASE WHEN is_open THEN 10 ELSE 100 END, n % 100 * 1000, 1, 1,
       now() - n * interval '365 days' / {leads}, now()
  FROM numbered, contact, staff, stage;
"""

# Two thirds answered, the rest missed; over a year until now.
CALLS = """
WITH contact AS (
         SELECT min(id) AS first FROM res_partner WHERE name LIKE 'Контакт %'
     ),
     staff AS (
         SELECT array_agg(id ORDER BY id) AS extensions,
                array_agg(user_id ORDER BY id) AS users
           FROM mango_extension WHERE user_id IS NOT NULL
     ),
     account AS (
         SELECT id, company_id, (SELECT min(id) FROM mango_line) AS line_id
           FROM mango_account ORDER BY id LIMIT 1
     ),
     numbered AS (
         SELECT n, n % 3 > 0 AS is_talk, now()::timestamp(0)
                    - n * interval '365 days' / {calls} - interval '1 hour' AS began,
                CASE WHEN n % ({calls} / {loyal}) = 0 THEN 0
                     ELSE n::bigint * 7919 % {contacts} END AS who
           FROM generate_series(1, {calls}) AS n
     )
INSERT INTO mango_call (
    account_id, company_id, entry_id, source, direction, state, result, client_number,
    line_number, line_id, extension_id, user_id, started_at, answered_at, ended_at,
    wait_duration, talk_duration, end_reason, partner_id, route_state, create_uid,
    write_uid, create_date, write_date
)
SELECT account.id, account.company_id, 'bench-' || n, 'webhook', 'inbound', 'ended',
       CASE WHEN is_talk THEN 'answered' ELSE 'missed' END,
       '+7498' || lpad((who + 1)::text, 7, '0'), '74950000100', line_id,
       extensions[1 + n % cardinality(extensions)], users[1 + n % cardinality(users)],
       began, CASE WHEN is_talk THEN began + interval '15 seconds' END,
       began + interval '90 seconds', CASE WHEN is_talk THEN 15 ELSE 90 END,
       CASE WHEN is_talk THEN 75 ELSE 0 END, 1110, first + who, 'skipped', 1, 1, began,
       began
  FROM numbered, contact, staff, account;
"""

LEGS = """
INSERT INTO mango_call_leg (
    call_id, leg_ref, location, state, from_number, to_number, to_extension, to_user_id,
    started_at, answered_at, ended_at, end_reason, create_uid, write_uid, create_date,
    write_date
)
SELECT call.id, call.entry_id || '-' || place, place, 'disconnected',
       ltrim(call.client_number, '+'), call.line_number,
       CASE WHEN place = 'abonent' THEN extension.number END,
       CASE WHEN place = 'abonent' THEN extension.user_id END, call.started_at,
       call.answered_at, call.ended_at, 1110, 1, 1, call.create_date, call.write_date
  FROM mango_call AS call
  JOIN mango_extension AS extension ON extension.id = call.extension_id
 CROSS JOIN unnest(ARRAY['ivr', 'abonent']) AS place
 WHERE call.entry_id LIKE 'bench-%';
"""

# The employee of the call, and in every third call a colleague whose phone rang.
PARTICIPANTS = """
INSERT INTO mango_call_res_users_rel (mango_call_id, res_users_id)
SELECT id, user_id FROM mango_call WHERE entry_id LIKE 'bench-%'
 UNION
SELECT call.id, other.user_id
  FROM mango_call AS call
  JOIN (SELECT min(user_id) AS user_id FROM mango_extension) AS other ON TRUE
 WHERE call.entry_id LIKE 'bench-%' AND call.id % 3 = 0;
"""

EVENTS = """
INSERT INTO mango_event (
    account_id, kind, entry_id, body, digest, received_at, state, attempts, create_uid,
    write_uid, create_date, write_date
)
SELECT account_id, 'events/summary', entry_id,
       format('{{"entry_id":"%s","filler":"%s"}}', entry_id, repeat('x', 300)),
       encode(sha256(entry_id::bytea), 'hex'), ended_at, 'done', 0, 1, 1, ended_at,
       ended_at
  FROM mango_call WHERE entry_id LIKE 'bench-%';
"""

# The last missed clients, each once: 500 wait, the others were called back.
WAITING = """
WITH missed AS (
         SELECT DISTINCT ON (client_number) *
           FROM mango_call WHERE entry_id LIKE 'bench-%' AND result = 'missed'
          ORDER BY client_number, started_at DESC
     ),
     numbered AS (
         SELECT *, row_number() OVER (ORDER BY started_at DESC) <= 500 AS is_open
           FROM missed ORDER BY started_at DESC LIMIT 100500
     )
INSERT INTO mango_callback (
    account_id, company_id, client_key, client_number, partner_id, line_id, user_id,
    first_missed_at, last_missed_at, missed_hour, missed_weekday, attempt_count,
    try_count, deadline, state, closed_by, closed_at, reaction_minutes, outcome,
    create_uid, write_uid, create_date, write_date
)
SELECT account_id, company_id, 'contact,' || partner_id, client_number, partner_id,
       line_id, user_id, started_at, started_at, '09:00', '1', 1, 0,
       started_at + interval '30 minutes',
       CASE WHEN is_open THEN 'open' ELSE 'done' END,
       CASE WHEN NOT is_open THEN 'called_back' END,
       CASE WHEN NOT is_open THEN started_at + interval '10 minutes' END,
       CASE WHEN NOT is_open THEN 10 END,
       CASE WHEN is_open THEN 'waiting' ELSE 'in_time' END,
       1, 1, started_at, started_at
  FROM numbered;

INSERT INTO mango_call_mango_callback_rel (mango_callback_id, mango_call_id)
SELECT entry.id, call.id
  FROM mango_callback AS entry
  JOIN mango_call AS call
    ON call.client_number = entry.client_number
   AND call.started_at = entry.first_missed_at;

INSERT INTO mango_callback_res_users_rel (mango_callback_id, res_users_id)
SELECT id, user_id FROM mango_callback;
"""

# The calls of the first contact are in its chatter; the second one has as many messages
# as a chatter shows at first.
CHATTER = """
WITH contact AS (
         SELECT min(id) AS first FROM res_partner WHERE name LIKE 'Контакт %'
     ),
     subtype AS (
         SELECT name, res_id AS id FROM ir_model_data
          WHERE model = 'mail.message.subtype' AND name IN ('mt_call', 'mt_note')
     ),
     author AS (SELECT partner_id AS id FROM res_users WHERE id = 1),
     line AS (
         INSERT INTO mail_message (
             model, res_id, message_type, subtype_id, author_id, body, date,
             is_internal, create_uid, write_uid, create_date, write_date
         )
         SELECT 'res.partner', first, 'notification', subtype.id, author.id,
                format('<div class="o_mango_chatter_line"><a href="/odoo/calls/%s">'
                       'Inbound call</a> · Answered, 1:15 · Анна</div>', call.id),
                ended_at, TRUE, 1, 1, ended_at, ended_at
           FROM contact
           JOIN mango_call AS call ON call.partner_id = contact.first
           JOIN subtype ON subtype.name = 'mt_call'
          CROSS JOIN author
          ORDER BY ended_at
         RETURNING id, res_id, date
     ),
     other AS (
         INSERT INTO mail_message (
             model, res_id, message_type, subtype_id, author_id, body, date,
             is_internal, create_uid, write_uid, create_date, write_date
         )
         SELECT 'res.partner', first + 1, 'notification', subtype.id, author.id,
                '<p>Answered, 1:15 · Анна</p>', now() - n * interval '1 hour', TRUE, 1,
                1, now(), now()
           FROM contact
           JOIN subtype ON subtype.name = 'mt_note'
          CROSS JOIN author
          CROSS JOIN generate_series(1, 30) AS n
     )
UPDATE mango_call AS call
   SET chatter_message_id = line.id
  FROM line
 WHERE call.partner_id = line.res_id AND call.ended_at = line.date;
"""

STEPS = {
    "contacts": CONTACTS,
    "leads": LEADS,
    "calls": CALLS,
    "legs": LEGS,
    "participants": PARTICIPANTS,
    "notifications": EVENTS,
    "missed clients": WAITING,
    "chatter": CHATTER,
    "statistics of the database": "VACUUM ANALYZE",
}


def fill(size, name, environment):
    """Fill a database that contains the demo.

    :param Size size: the amount of data.
    :param str name: of the database.
    :param dict environment: as returned by :func:`devtools.database.acquire`.
    """
    values = dataclasses.asdict(size)
    for what, text in STEPS.items():
        with step(f"Filling in {what} of {size.calls} calls"):
            database.query(text.format(**values), name, environment)


def forget_measured(bed):
    """Delete the calls of the measures, some of which still ring on somebody's screen.

    :param TestBed bed: with the database.
    """
    for table in ("mango_call", "mango_event"):
        bed.query(f"DELETE FROM {table} WHERE entry_id NOT LIKE 'bench-%'")
    bed.query("DELETE FROM mango_command")


def drop_outdated(environment):
    """Drop the databases of other versions.

    :param dict environment: as returned by :func:`devtools.database.acquire`.
    """
    known = {size.database for size in (SMALL, MILLION)}
    for name in database.names(environment):
        if name.startswith("mango_bench_") and name not in known:
            database.drop(name, environment)
