from datetime import timedelta

from werkzeug.exceptions import Forbidden

from odoo import models
from odoo.http import request

from .mango_recording import DOWNLOAD_GROUP

#: The player requests the file again at each seek.
STREAM_MERGE = timedelta(minutes=10)


class IrBinary(models.AbstractModel):
    _inherit = "ir.binary"

    def _record_to_stream(self, record, field_name):
        """Stream the audio of a recording to users who may read the call.

        Downloading it requires a separate right, and both are logged. This cannot stop
        a determined user, because a browser that plays a sound has its data; but then
        it is known who has listened.
        """
        recording = self._mango_recording(record, field_name)
        if not recording:
            return super()._record_to_stream(record, field_name)
        recording.check_access("read")
        # sudo: mango.recording - whoever may read a recording may listen to it; the
        # field is not accessible in any other way.
        stream = super()._record_to_stream(recording.sudo(), "audio")
        stream.download_name = recording._file_name()
        respond = stream.get_response

        def get_response(as_attachment=None, **options):
            self._mango_note(recording, as_attachment or stream.as_attachment)
            return respond(as_attachment=as_attachment, **options)

        stream.get_response = get_response
        return stream

    def _mango_recording(self, record, field_name):
        """Return the recording if the field is its audio.

        :rtype: mango.recording
        """
        recordings = self.env["mango.recording"]
        if record._name == recordings._name and field_name == "audio":
            return record.sudo(False) if record.env.su else record
        if record._name == "ir.attachment":
            # sudo: ir.attachment - only its record, whose access is checked.
            attachment_sudo = record.sudo()
            if attachment_sudo.res_model == recordings._name:
                return recordings.browse(attachment_sudo.res_id)
        return recordings

    def _mango_note(self, recording, is_download):
        """Log the play or download of a recording; refuse what is not allowed.

        :param mango.recording recording: one that the user may read.
        :param bool is_download: whether the browser is to save it.
        :raise Forbidden: the user may not download.
        """
        if is_download and not self.env.user.has_group(DOWNLOAD_GROUP):
            raise Forbidden
        if request.httprequest.method == "HEAD":
            return
        kind = "download" if is_download else "play"
        merge = STREAM_MERGE + timedelta(seconds=recording.duration)
        # The request's transaction may be read-only, and is not used any more.
        if self.env.cr.readonly:
            self.env.cr.rollback()
        with self.env.registry.cursor() as cr:
            plays = self.env(cr=cr)["mango.recording.play"]
            plays._log(recording.with_env(plays.env), kind, merge)
