from markupsafe import Markup

from odoo import api, models
from odoo.tools import plaintext2html

from .mango_client_lead import QUIET


class MangoChatterLine(models.AbstractModel):
    """The line of a call in the chatter of its lead, or else of its contact.

    One for each call: it is brought up to date and follows when a person corrects whose
    call it was. It is logged only; nobody is notified.
    """

    _name = "mango.chatter.line"
    _description = "Call in the Chatter"

    @api.model
    def _update_line(self, call):
        """Make the line of a call what the call says now.

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
        # sudo: res.users - the employee's name is in the chatter of what they may see.
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
        """Return the line: direction, result, how long, who, and what was noted.

        :rtype: Markup
        """
        parts = [self._link(call), self._result(call)]
        if call.outcome_id:
            parts.append(call.outcome_id.name)
        if call.user_id:
            parts.append(call.user_id.sudo().name)
        if call.recording_state == "ready":
            parts.append(self._play_button(call))
        line = Markup(" · ").join(filter(None, parts))
        note = plaintext2html(call.note) if call.note else ""
        return Markup('<div class="o_mango_chatter_line">%s</div>%s') % (line, note)

    def _link(self, call):
        words = {
            "inbound": self.env._("Inbound call"),
            "outbound": self.env._("Outbound call"),
        }
        icon = "fa-arrow-up" if call.direction == "outbound" else "fa-arrow-down"
        return Markup('<a href="/odoo/calls/%s"><i class="fa %s"></i> %s</a>') % (
            call.id,
            icon,
            words.get(call.direction, self.env._("Call")),
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

    def _play_button(self, call):
        # Without JavaScript it opens the call, whose form has the player.
        return Markup(
            '<a class="o_mango_play" href="/odoo/calls/%(id)s"'
            ' data-oe-model="mango.call" data-oe-id="%(id)s">'
            '<i class="fa fa-play-circle"></i> %(word)s</a>'
        ) % {"id": call.id, "word": self.env._("Play")}
