-- A copied database must neither answer nor command a real PBX.
UPDATE mango_account
   SET api_key = NULL,
       api_salt = NULL,
       routing_enabled = FALSE,
       recording_mode = 'on_request';
-- Settings that were filled in but not saved.
UPDATE res_config_settings
   SET mango_api_key = NULL,
       mango_api_salt = NULL;
