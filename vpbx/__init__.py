"""The PBX's protocol in pure Python: no Odoo import, no database.

* ``signature`` -- the signature of requests and notifications
* ``client`` -- requests to the PBX; ``addresses`` -- allowed hosts
* ``transport`` -- network failures
* ``recordings`` -- download of a recording; ``audio`` -- format and length of audio
* ``notifications`` -- the PBX's notifications as value objects
* ``statistics`` -- the PBX's statistics of calls; ``statistics_evidence`` -- the same
  as notifications
* ``call_state`` -- the fold that turns notifications into a call
* ``codes`` -- result codes and call-end reasons
* ``numbers`` -- phone numbers, devices and extensions
* ``members`` -- the documented members of notifications; ``surprises`` -- deviations
  from them; ``pseudonyms`` -- replacement of personal data
* ``texts`` -- text that the database can store
* ``errors`` -- exceptions
"""
