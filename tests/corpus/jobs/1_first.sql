BEGIN TRANSACTION;
CREATE TABLE batches (
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, label TEXT NOT NULL, client_key TEXT UNIQUE,
            request_digest TEXT NOT NULL, created BIGINT NOT NULL);
INSERT INTO "batches" VALUES(1,'958bd8a5fb9d97567c24','batch',NULL,'',1772366400000000);
CREATE TABLE documents (digest TEXT PRIMARY KEY, content BLOB NOT NULL);
INSERT INTO "documents" VALUES('8efcf357895d5da34ab01f245066a0c408cf6861a74c4930e0599a6cf524e836',X'789CAB564ACB2FCA4D2C51B252CACB4F494D2F4A2CC8D03754D201F38A95ACAA951241444965412A5049497EA5526D6D2D00E06E11CE');
CREATE TABLE events (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, kind TEXT NOT NULL, time BIGINT NOT NULL, data TEXT NOT NULL);
INSERT INTO "events" VALUES(1,'5ab3b126e9a49cfc0827','queued',1772366400000000,'{}');
INSERT INTO "events" VALUES(2,'a4a225ea1607335f06f7','queued',1772366400000000,'{}');
INSERT INTO "events" VALUES(3,'802c48349ebd534c53c3','queued',1772366400000000,'{}');
INSERT INTO "events" VALUES(4,'55e6fb15ab72eb24a4b3','queued',1772366400000000,'{}');
INSERT INTO "events" VALUES(5,'5ab3b126e9a49cfc0827','started',1772366400000000,'{"claim":1}');
INSERT INTO "events" VALUES(6,'5ab3b126e9a49cfc0827','node_started',1772366400000000,'{"node":"a"}');
INSERT INTO "events" VALUES(7,'5ab3b126e9a49cfc0827','done',1772366400000000,'{"seconds":1.5}');
INSERT INTO "events" VALUES(8,'a4a225ea1607335f06f7','started',1772366400000000,'{"claim":1}');
INSERT INTO "events" VALUES(9,'a4a225ea1607335f06f7','failed',1772366400000000,'{"seconds":1.0,"error":{"kind":"node","message":"too hot","node":"a","defects":[]}}');
INSERT INTO "events" VALUES(10,'802c48349ebd534c53c3','paused',1772366400000000,'{}');
INSERT INTO "events" VALUES(11,'55e6fb15ab72eb24a4b3','moved',1772366400000000,'{"priority":-1}');
INSERT INTO "events" VALUES(12,'e4f71e08594aefd2d19e','queued',1772366400000000,'{}');
INSERT INTO "events" VALUES(13,'e4f71e08594aefd2d19e','started',1772366400000000,'{"claim":1}');
INSERT INTO "events" VALUES(14,'e4f71e08594aefd2d19e','cancelling',1772366400000000,'{}');
INSERT INTO "events" VALUES(15,'','queue_paused',1772366400000000,'{}');
CREATE TABLE jobs (
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, wish TEXT, origin TEXT NOT NULL,
            owner TEXT, batch TEXT REFERENCES batches (id), batch_index BIGINT, client_key TEXT UNIQUE,
            request_digest TEXT NOT NULL,
            workflow TEXT NOT NULL REFERENCES documents (digest), priority BIGINT NOT NULL, position BIGINT NOT NULL,
            losses BIGINT NOT NULL, claim BIGINT NOT NULL, created BIGINT NOT NULL, started BIGINT, finished BIGINT,
            seconds DOUBLE PRECISION, request TEXT NOT NULL, result TEXT, search TEXT NOT NULL);
INSERT INTO "jobs" VALUES(1,'5ab3b126e9a49cfc0827','done',NULL,'queue',NULL,NULL,NULL,'2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683','590deaf59bac1ae155dba22b1744e3638bb3b942b24bc4c668235f15ee5f585f','8efcf357895d5da34ab01f245066a0c408cf6861a74c4930e0599a6cf524e836',0,2147483648,0,1,1772366400000000,1772366400000000,1772366400000000,1.5,'{"targets":["a"],"fields":{"f":1},"label":"first","inputs":{"prompt":"a red fox"},"title":"Fox","client_key":"key"}','{"outputs":{"x":1},"files":[{"path":"fox.png","bytes":3,"sha256":"0000000000000000000000000000000000000000000000000000000000000000"}],"ran":1}','first
fox
a red fox

fox.png');
INSERT INTO "jobs" VALUES(2,'a4a225ea1607335f06f7','failed',NULL,'queue',NULL,NULL,NULL,NULL,'','8efcf357895d5da34ab01f245066a0c408cf6861a74c4930e0599a6cf524e836',0,4294967296,0,1,1772366400000000,1772366400000000,1772366400000000,1.0,'{"time_limit":5.0,"label":"second"}','{"error":{"kind":"node","message":"too hot","node":"a"}}','second

too hot');
INSERT INTO "jobs" VALUES(3,'802c48349ebd534c53c3','paused',NULL,'queue',NULL,'958bd8a5fb9d97567c24',0,NULL,'','8efcf357895d5da34ab01f245066a0c408cf6861a74c4930e0599a6cf524e836',-1,6442450944,0,0,1772366400000000,NULL,NULL,NULL,'{"fields":{"index":0},"label":"batch","inputs":{"n":0}}',NULL,'batch

0
');
INSERT INTO "jobs" VALUES(4,'55e6fb15ab72eb24a4b3','queued',NULL,'queue',NULL,'958bd8a5fb9d97567c24',1,NULL,'','8efcf357895d5da34ab01f245066a0c408cf6861a74c4930e0599a6cf524e836',-1,4294967296,0,0,1772366400000000,NULL,NULL,NULL,'{"fields":{"index":1},"label":"batch","inputs":{"n":1}}',NULL,'batch

1
');
INSERT INTO "jobs" VALUES(5,'e4f71e08594aefd2d19e','running','cancel','queue','408a105f063996867f28',NULL,NULL,NULL,'','8efcf357895d5da34ab01f245066a0c408cf6861a74c4930e0599a6cf524e836',0,10737418240,0,1,1772366400000000,1772366400000000,NULL,NULL,'{"label":"running"}',NULL,'running

');
CREATE TABLE marks (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO "marks" VALUES('position',10737418240);
INSERT INTO "marks" VALUES('paused',1);
CREATE TABLE migrations (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
INSERT INTO "migrations" VALUES(1,'1 first');
CREATE TABLE targets (
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, node TEXT NOT NULL, number BIGINT NOT NULL,
            path TEXT NOT NULL, PRIMARY KEY (job, node, number));
INSERT INTO "targets" VALUES('5ab3b126e9a49cfc0827','"a"',0,'"fox.png"');
CREATE INDEX jobs_in_order ON jobs (state, priority DESC, position, number);
CREATE INDEX jobs_by_state ON jobs (state, number);
CREATE INDEX jobs_by_batch ON jobs (batch, number);
CREATE INDEX jobs_by_workflow ON jobs (workflow, number);
CREATE INDEX events_by_job ON events (job, sequence);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('migrations',1);
INSERT INTO "sqlite_sequence" VALUES('jobs',5);
INSERT INTO "sqlite_sequence" VALUES('events',15);
INSERT INTO "sqlite_sequence" VALUES('batches',1);
COMMIT;
