from odoo import api, models
from odoo.tools import plaintext2html

from ..callbacks.mango_callback_apply import QUIET


class MangoChatterLine(models.AbstractModel):
    """The line of a call in the chatter of its lead, or else of its contact.

    There is one for each call: it is updated, and moves when a user corrects the
    client. It is only logged; nobody is notified.
    """

    _name = "mango.chatter.line"
    _description = "Call in the Chatter"

    @api.model
    def _update_line(self, call):
        """Update the line of a call.

        :param mango.call call: ended, and locked.
        """
        account = call.account_id
        call = call.with_context(**QUIET, lang=account._language())
        record = call.lead_id or call.partner_id
        message = call.chatter_message_id
        if not record:
            message.unlink()
            return
        vals = self.with_env(call.env)._prepare_vals(call, record)
        if message:
            changed = {
                name: value
                for name, value in vals.items()
                if message._fields[name].convert_to_write(message[name], message)
                != value
            }
            if changed:
                message.write(changed)
            return
        author = vals.pop("author_id")
        body = vals.pop("body")
        message = record._message_log(body=body, author_id=author)
        message.write(vals)
        call.chatter_message_id = message

    def _prepare_vals(self, call, record):
        # sudo: res.users - only the employee's name, in the chatter of the call's
        # record.
        author = call.user_id.sudo().partner_id or self.env.ref("base.partner_root")
        return {
            "model": record._name,
            "res_id": record.id,
            "author_id": author.id,
            "body": self._body(call),
            "date": call.ended_at or call.started_at,
            "subtype_id": self.env["ir.model.data"]._xmlid_to_res_id(
                "mango_office.mt_call"
            ),
        }

    def _body(self, call):
        """Return the line: direction, result, duration, outcome and note.

        The employee is its author. Rendered by a template, which escapes texts of users
        and the PBX.

        :rtype: str
        """
        parts = [self._result(call), call.outcome_id.name]
        return self.env["ir.qweb"]._render(
            "mango_office.chatter_line",
            {
                "call_id": call.id,
                "is_outbound": call.direction == "outbound",
                "parts": [part for part in parts if part],
                "is_playable": call.recording_state == "ready",
                "note": plaintext2html(call.note) if call.note else "",
            },
            minimal_qcontext=True,
        )

    def _result(self, call):
        labels = dict(call._fields["result"]._description_selection(call.env))
        seconds = call.talk_duration if call.answered_at else call.wait_duration
        duration = f"{seconds // 60}:{seconds % 60:02}"
        result = labels.get(call.result, "")
        if call.answered_at:
            return f"{result}, {duration}"
        return self.env._(
            "%(result)s after %(duration)s", result=result, duration=duration
        )
