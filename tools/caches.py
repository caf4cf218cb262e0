"""Odoo's ORM caches (``tools.ormcache``)."""


def clear_caches(env):
    """Clear the caches of this process now, and again after the commit.

    Until the commit other threads still read the old values and may put them back into
    the cache. Odoo signals the other processes at the commit.

    :param Environment env: of the transaction that changes the cached values.
    """
    env.registry.clear_cache()
    env.cr.postcommit.add(env.registry.clear_cache)
