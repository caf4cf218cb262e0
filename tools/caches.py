"""Odoo's ORM caches (``tools.ormcache``)."""


def clear_caches(env):
    """Clear the caches of this process now, and again after the commit.

    Until the commit another thread still reads the old values, and may fill the cache
    with them once more. Odoo tells the other processes at the commit.

    :param Environment env: of the transaction that changes what is cached.
    """
    env.registry.clear_cache()
    env.cr.postcommit.add(env.registry.clear_cache)
