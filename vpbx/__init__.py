"""The PBX's protocol in pure Python: no Odoo import, no database.

* ``signature`` -- the signature that goes both ways
* ``client`` -- requests to the PBX; ``addresses`` -- where they may go
* ``transport`` -- what goes wrong on the way
* ``recordings`` -- the one access to a recording; ``audio`` -- what a file of sound is
* ``notifications`` -- what the PBX sends us, as value objects
* ``statistics`` -- what the PBX's statistics tell of calls; ``statistics_evidence`` --
  the same in the words of notifications
* ``call_state`` -- the fold that turns notifications into a call
* ``codes`` -- result codes and call-end reasons
* ``numbers`` -- phone numbers, devices, extensions
* ``texts`` -- what the database can store
* ``errors`` -- the one exception family
"""
