DROP TABLE known_networks;

DROP TABLE login_failures;

ALTER TABLE trust_state DROP COLUMN throttle_key;
