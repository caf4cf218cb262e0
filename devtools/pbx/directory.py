"""Queries about staff, groups, lines and the account (``mango-api.md`` 6.1, 6.2)."""

#: members of a user that are returned only if ``ext_fields`` names them
EXTRA = {
    "general": (
        "user_id",
        "sips",
        "access_role_id",
        "mobile",
        "login",
        "use_status",
        "use_cc_numbers",
    ),
    "telephony": ("dial_alg", "line_id", "trunk_number_id"),
}


class Directory:
    def __init__(self, exchange):
        self._exchange = exchange
        self._company = exchange.company

    def users(self, params):
        """``config/users/request``: has no ``result`` on success."""
        extension = params.get("extension")
        wanted = set(params.get("ext_fields") or [])
        users = [
            user
            for user in self._company.users
            if extension in (None, "", user.extension)
            and user.extension not in self._exchange.settings.unlisted
        ]
        return {"users": [self._user(user, wanted) for user in users]}

    def groups(self, params):
        """``groups``, with members if ``show_users`` is 1."""
        groups = [g for g in self._company.groups if self._wanted(g, params)]
        with_users = str(params.get("show_users", 0)) == "1"
        return {
            "result": 1000,
            "groups": [self._group(group, with_users) for group in groups],
        }

    def _wanted(self, group, params):
        if str(params.get("group_id") or group.id) != str(group.id):
            return False
        staff = [self._company.find_staff(extension) for extension in group.members]
        extension = params.get("operator_extension")
        user_id = params.get("operator_id")
        return (not extension or extension in group.members) and (
            not user_id or str(user_id) in [str(member.user_id) for member in staff]
        )

    def lines(self, params):
        return {"result": 1000, "lines": [self._line(x) for x in self._company.lines]}

    def balance(self, params):
        return {
            "result": 1000,
            "balance": self._company.balance,
            "currency": self._company.currency,
            "response_at": int(self._exchange.clock.now()),
        }

    def _user(self, user, wanted):
        general = {
            "name": user.name,
            "email": user.email,
            "department": user.department,
            "position": user.position,
            "user_id": user.user_id,
            "sips": [{"number": device[4:]} for device in user.devices],
            "access_role_id": 3 if user.extension else 1,
            "mobile": user.mobile or None,
            "login": None,
            "use_status": 0,
            "use_cc_numbers": 0,
        }
        telephony = {
            "outgoingline": self._company.lines[0].number,
            "dial_alg": 1,
            "line_id": self._company.lines[0].id,
            "trunk_number_id": None,
            "numbers": self._numbers(user, wanted),
        }
        if user.extension:
            telephony["extension"] = user.extension
        reply = {
            "general": self._asked("general", general, wanted),
            "telephony": self._asked("telephony", telephony, wanted),
        }
        if "groups" in wanted:
            reply["groups"] = [group.id for group in self._company.groups_of(user)]
        return reply

    @staticmethod
    def _asked(part, values, wanted):
        return {
            name: value
            for name, value in values.items()
            if name not in EXTRA[part] or f"{part}.{name}" in wanted
        }

    @staticmethod
    def _numbers(user, wanted):
        numbers = [
            {
                "number": device,
                "protocol": "sip",
                "order": order,
                "wait_sec": user.wait_sec,
                "status": "on",
            }
            for order, device in enumerate(user.devices)
        ]
        if user.mobile:
            numbers.append(
                {
                    "number": user.mobile,
                    "number_normalized": user.mobile,
                    "protocol": "tel",
                    "order": len(numbers),
                    "wait_sec": str(user.wait_sec),
                    "status": "on" if user.forward == user.mobile else "off",
                }
            )
        if "telephony.numbers.schedule" in wanted:
            numbers = [{**number, "schedule": []} for number in numbers]
        return numbers

    def _group(self, group, with_users):
        reply = {
            "id": group.id,
            "name": group.name,
            "description": "",
            "extension": group.extension,
            "dial_alg_group": group.algorithm,
            "dial_alg_users": 1,
            "auto_redirect": 0,
            "auto_dial": 0,
            "line_id": self._company.lines[0].id,
            "melody_id": None,
        }
        if with_users:
            reply["operators"] = [
                self._operator(order, extension, group.priority(extension))
                for order, extension in enumerate(group.members)
            ]
        return reply

    def _operator(self, order, extension, priority):
        staff = self._company.find_staff(extension)
        return {
            "id": staff.user_id,
            "name": staff.name,
            "extension": extension,
            "priority": priority,
            "order": order,
        }

    @staticmethod
    def _line(line):
        return {
            "line_id": line.id,
            "number": line.number,
            "name": line.name,
            "comment": "",
            "region": line.region,
            "schema_id": line.id + 100,
            "schema_name": line.schema,
        }
