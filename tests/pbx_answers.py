"""Answers of the PBX to the administrator's requests, good and bad."""

from ..vpbx import codes
from .common import API_KEY, API_SALT, MangoCase

USERS = "config/users/request"
LINES = "incominglines"
BALANCE = "account/balance"

# Error answers of the PBX, and the messages to the administrator.
TROUBLE = {
    "wrong secret": ({"body": '{"result": 3102}'}, "The secret is wrong"),
    "wrong code": ({"body": '{"code": "3105"}', "status": 401}, "The code is wrong"),
    "lock-out": ({"body": "", "status": 401}, "in the last two minutes"),
    "no API connector": (
        {"body": '{"message": "Service disabled"}', "status": 401},
        "The PBX says: “Service disabled”. The PBX refuses all requests",
    ),
    "rate limit": (
        {"body": '{"code": 0, "status": 429}', "status": 429},
        "too many requests",
    ),
    "unavailable": ({"body": "<html>", "status": 503}, "out of service"),
    "web page": ({"body": "<html>", "content_type": "text/html"}, "cannot be read"),
    "empty": ({"body": ""}, "cannot be read"),
    "cut off": ({"body": '{"users": [{"gene'}, "cannot be read"),
    "no option": ({"body": '{"result": 5300}'}, f"{codes.meaning(5300)} (code 5300)"),
    "hung up": ({"body": None}, "cannot be reached"),
}


def pbx_user(extension, name="Анна Соколова", email="", mobile="", **general):
    """Build an employee in the PBX's format; None stands for no extension."""
    telephony = {"extension": extension} if extension else {}
    return {
        "general": {
            "user_id": 400000000 + int(extension or 1),
            "name": name,
            "email": email,
            "mobile": mobile,
            **general,
        },
        "telephony": {**telephony, "numbers": []},
    }


class AccountCase(MangoCase):
    """Adds a second PBX from which nothing has been loaded yet."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.create_user("admin", "Админ", "group_admin", email="")
        cls.fresh = cls.create_account(
            api_key="test_api_key_0007", api_salt="test_api_salt_0008"
        ).with_user(cls.admin)

    def assertNoSecrets(self, text):
        for secret in (API_KEY, API_SALT, "test_api_key_0007", "test_api_salt_0008"):
            self.assertNotIn(secret, text)
