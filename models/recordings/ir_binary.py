from datetime import timedelta

from werkzeug.exceptions import Forbidden

from odoo import models
from odoo.http import request

from .mango_recording import DOWNLOAD_GROUP

#: A file that is played is asked for again and again, at each seek.
STREAM_MERGE = timedelta(minutes=10)


class IrBinary(models.AbstractModel):
    _inherit = "ir.binary"

    def _record_to_stream(self, record, field_name):
        """Stream the audio of a recording to whoever may read the call.

        Saving it as a file takes a right of its own, and both are noted. This keeps an
        honest person from what they shall not do; a browser that plays a sound has it,
        and whoever knows how can keep it. Then at least it is known who listened.
        """
        recording = self._mango_recording(record, field_name)
        if not recording:
            return super()._record_to_stream(record, field_name)
        recording.check_access("read")
        # sudo: mango.recording - whoever may read a recording may hear it; the field
        # is closed to everything but this.
        stream = super()._record_to_stream(recording.sudo(), "audio")
        stream.download_name = recording._file_name()
        respond = stream.get_response

        def get_response(as_attachment=None, **options):
            self._mango_note(recording, as_attachment or stream.as_attachment)
            return respond(as_attachment=as_attachment, **options)

        stream.get_response = get_response
        return stream

    def _mango_recording(self, record, field_name):
        """Return the recording whose audio a record's field is, if it is one.

        :rtype: mango.recording
        """
        recordings = self.env["mango.recording"]
        if record._name == recordings._name and field_name == "audio":
            return record.sudo(False) if record.env.su else record
        if record._name == "ir.attachment":
            # sudo: ir.attachment - what it belongs to; the right to it is checked.
            attachment_sudo = record.sudo()
            if attachment_sudo.res_model == recordings._name:
                return recordings.browse(attachment_sudo.res_id)
        return recordings

    def _mango_note(self, recording, is_download):
        """Store who plays or downloads a recording; refuse what is not allowed.

        :param mango.recording recording: which the user may read.
        :param bool is_download: the browser is to save it.
        :raise Forbidden: the user may not download.
        """
        if is_download and not self.env.user.has_group(DOWNLOAD_GROUP):
            raise Forbidden
        if request.httprequest.method == "HEAD":
            return
        kind = "download" if is_download else "play"
        merge = STREAM_MERGE + timedelta(seconds=recording.duration)
        # The request's own transaction may be read-only; nothing more is read in it.
        if self.env.cr.readonly:
            self.env.cr.rollback()
        with self.env.registry.cursor() as cr:
            plays = self.env(cr=cr)["mango.recording.play"]
            plays._log(recording.with_env(plays.env), kind, merge)
