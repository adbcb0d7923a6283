-- Requests name an alert by its id alone: whose it is stands in no address.
CREATE UNIQUE INDEX alert_by_id ON alert (alert_id);
