"""Play a support bundle. Executed by ``odoo shell``, which defines ``env``."""

import json
import os
import pathlib


def main(env):
    replay = env["mango.support.replay"]
    files = replay._read(pathlib.Path(os.environ["MANGO_BUNDLE"]).read_bytes())
    account = replay._set_up(files)
    # Each notification is received in a transaction of its own.
    env.cr.commit()
    replay._play(account, files)
    # To see what they have written.
    env.cr.commit()
    env.invalidate_all()
    calls = replay._compare(account, files)
    pathlib.Path(os.environ["MANGO_OUTCOME"]).write_text(json.dumps(calls))


main(env)  # noqa: F821
