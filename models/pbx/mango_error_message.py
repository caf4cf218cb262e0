from odoo import api, models
from odoo.tools.translate import code_translations

from ...vpbx import codes, errors


class MangoErrorMessage(models.AbstractModel):
    """The meaning of the PBX's codes and failures, in the reader's language."""

    _name = "mango.error.message"
    _description = "PBX Error Messages"

    @api.model
    def _explain_code(self, code):
        """Return the meaning of a code of the PBX, in the reader's language.

        :param int code: a code of ``mango-api.md`` 7.
        :rtype: str
        """
        meaning = codes.meaning(code)
        translations = code_translations.get_python_translations(
            "mango_office", self.env.lang or "en_US"
        )
        return translations.get(meaning, meaning)

    @api.model
    def _explain_error(self, error):
        """Explain an error of the PBX and what to do about it, in a sentence.

        :param VpbxError error: the exception that the client raised.
        :rtype: str
        """
        if sentence := self._explain_recording_error(error):
            return sentence
        if isinstance(error, errors.TransportError):
            if error.reason == "unavailable":
                return self.env._("The PBX is out of service. Try again later.")
            return self.env._(
                "The PBX cannot be reached: %(reason)s. Check the API address and "
                "the server's internet connection.",
                reason=self._explain_reason(error.reason),
            )
        if isinstance(error, errors.LockedOutError):
            return self._explain_lock_out(error)
        if isinstance(error, errors.RateLimitedError):
            return self.env._(
                "The PBX received too many requests at once. Wait a few seconds and "
                "try again."
            )
        if isinstance(error, errors.RefusedError):
            if error.code == 3102:
                return self.env._(
                    "The secret is wrong: the PBX does not accept the signature. Copy "
                    "the key for signatures from the PBX's cabinet once more."
                )
            if error.code == 3105:
                return self.env._(
                    "The code is wrong: the PBX does not know it. Copy the unique code "
                    "of your PBX from its cabinet once more."
                )
            return self.env._(
                "The PBX refused. %(meaning)s (code %(code)s).",
                meaning=self._explain_code(error.code),
                code=error.code,
            )
        return self.env._(
            "The PBX gave an answer that cannot be read. Check the API address; if it "
            "is right, try again later."
        )

    @api.model
    def _explain_lock_out(self, error):
        advice = self.env._(
            "The PBX refuses all requests: the code or the secret is wrong, the "
            "service “API connector” is not connected, or there were wrong requests "
            "in the last two minutes. Check all three in the PBX's cabinet, wait two "
            "minutes and try once more."
        )
        if not error.told:
            return advice
        told = self.env._("The PBX says: “%s”.", error.told)
        return f"{told} {advice}"

    @api.model
    def _explain_recording_error(self, error):
        """Explain an error of a recording; None for other errors.

        :param VpbxError error: the exception that the client raised.
        :rtype: str | None
        """
        if isinstance(error, errors.NotReadyError):
            return self.env._(
                "The PBX does not have the recording yet, or no longer has it."
            )
        if isinstance(error, errors.TooLargeError):
            return self.env._(
                "The recording is larger than %(limit)s MB, which is the limit in the "
                "settings.",
                limit=error.limit // 1024**2,
            )
        if isinstance(error, errors.NotAudioError):
            return self.env._(
                "The PBX did not send a recording: the file is empty or cannot be "
                "played."
            )
        return None

    @api.model
    def _explain_reason(self, reason):
        """Return why a request failed, as the end of a sentence.

        :param str reason: as in :class:`vpbx.errors.TransportError`.
        :rtype: str
        """
        words = {
            "timeout": self.env._("it does not answer in time"),
            "connect": self.env._("nobody answers at this address"),
            "tls": self.env._("no secure connection can be made"),
            "dns": self.env._("its address is unknown"),
        }
        return words.get(reason) or self.env._("the connection breaks off")
