-- A copied database must neither answer nor command a real PBX.
UPDATE mango_account
   SET api_key = NULL,
       api_salt = NULL,
       routing_enabled = FALSE;
