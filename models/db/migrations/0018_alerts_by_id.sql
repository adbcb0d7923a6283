-- Requests name an alert by its id alone: whose it is stands in no address.
CREATE UNIQUE INDEX alert_by_id ON alert (alert_id);
-- Everybody writes alerts by one statement, which inserts or updates. The fences let people do so for patients whom
-- they may see for what they do, and no route of theirs makes an alert.
GRANT INSERT ON alert TO thuiswacht_people;
