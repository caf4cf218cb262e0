from odoo import api, models
from odoo.fields import Domain


class MangoExtension(models.Model):
    """Searching extensions, and the supervisors' board."""

    _inherit = "mango.extension"

    @api.model
    def get_transfer_targets(self, term="", call_id=None):
        """Find whom a call can be transferred to, in its PBX and outside.

        :param str term: part of a name or of a number; empty finds everybody.
        :param int call_id: the user's call; None for the PBX they call with.
        :return: free ones first, and among them those to whom the user has transferred
            lately: ``type`` (``colleague``, ``group`` or ``outside``), ``id`` (within
            its type), ``name``, ``number`` (as people write it), ``dial`` (for
            :meth:`mango.call.transfer`), ``user_id`` (False without one), ``avatar``
            (address of a picture, or empty), ``state`` (as of :meth:`_states`; of a
            group ``free`` if a member is), ``status`` and ``away_until`` (as of
            :meth:`_describe`). A number that was typed comes last.
        :rtype: list[dict]
        """
        self.check_access("read")
        call = self.env["mango.call"].browse(call_id or ())
        call.check_access("read")
        return self.env["mango.transfer.target"]._find(term, call)

    def _person_name(self):
        """Return the name of the extension's user.

        :rtype: str
        """
        # sudo: res.users - only the name of a colleague.
        return self.user_id.sudo().name or self.name or self.number

    def _describe(self):
        """Return the extension and its user for the web client.

        :return: ``id``, ``number``, ``name``, ``user_id`` (False without one),
            ``avatar`` (address of a picture, or empty), ``status`` (``available``,
            ``dnd`` or ``away``) and ``away_until`` (UTC as text, or False).
        :rtype: dict
        """
        # sudo: res.users - only picture and status of a colleague.
        user_sudo = self.user_id.sudo()
        picture = f"/web/image/res.users/{user_sudo.id}/avatar_128"
        return {
            "id": self.id,
            "number": self.number,
            "name": self._person_name(),
            "user_id": user_sudo.id,
            "avatar": picture if user_sudo else "",
            **user_sudo._mango_status_info(),
        }

    def _departments(self):
        """Return the departments of extensions.

        Those of the app Employees come first, if it is installed; then what the PBX
        says; then the employee's sales team.

        :return: names by extension id, empty without a department.
        :rtype: dict[int, str]
        """
        in_employees = self._departments_in_employees()
        return {
            extension.id: in_employees.get((extension.company_id, extension.user_id))
            or extension.department
            or extension._sales_team_name()
            or ""
            for extension in self
        }

    def _departments_in_employees(self):
        """Return the names of departments by company and user.

        :rtype: dict[tuple[res.company, res.users], str]
        """
        if "hr.employee" not in self.env:
            return {}
        # sudo: hr.employee - only the department's name, which all employees may know.
        employees_sudo = self.env["hr.employee"].sudo()
        found_sudo = employees_sudo.search(
            Domain("user_id", "in", self.user_id.ids)
            & Domain("company_id", "in", self.company_id.ids)
            & Domain("department_id", "!=", False)
        )
        return {
            (employee.company_id, employee.user_id): employee.department_id.name
            for employee in found_sudo
        }

    def _sales_team_name(self):
        # sudo: res.users, crm.team - only the name of a colleague's team.
        team_sudo = self.user_id.sudo().sale_team_id
        is_ours = team_sudo.company_id in (self.company_id, self.env["res.company"])
        return is_ours and team_sudo.name

    # ------------------------------------------------------------
    # The supervisors' board
    # ------------------------------------------------------------

    @api.model
    def get_board(self):
        """Return the supervisors' board of the active companies.

        :return: ``extensions``: all, each with ``id``, ``number``, ``name``,
            ``user_id``, ``avatar``, ``department`` (as of :meth:`_departments`),
            ``state`` (as of :meth:`_states`) and ``call``: False, or ``id``,
            ``direction``, ``name``, ``number`` and ``seconds`` (since talking began,
            else since ringing began).
            ``waiting``: the callers for whom no phone rings yet, each with
            ``call_id``, ``name``, ``number``, ``line``, ``in_queue`` and ``seconds``.
        :rtype: dict
        :raise AccessError: if the user is no supervisor.
        """
        return self.env["mango.board"]._all()

    @api.model
    def get_board_calls(self):
        """Return only the parts of the board that change with calls.

        :return: ``busy``: ``id``, ``state`` and ``call`` of every extension that is not
            free; ``absent``: ``id``, ``status`` and ``away_until`` of those whose
            employees take no routed calls; and ``waiting``. As of :meth:`get_board`.
        :rtype: dict
        :raise AccessError: if the user is no supervisor.
        """
        return self.env["mango.board"]._changing()
