/** `PRAGMA application_id` of a ledger ("ARCH"), so that a wrong path never writes into another application's database. */
export const applicationId = 0x41524348;

/**
 * The schema's steps. `PRAGMA user_version` counts the applied ones; a released step is never edited.
 *
 * `requests` holds a request and, once it is closed, its rendered answer. A closed row is never written again, so that the
 * answer's bytes are written once. The answer's columns are last, so that reading the other columns does not touch the
 * overflow pages of the body. Rows are in order of acceptance (rowid).
 *
 * `totals` is kept by triggers, in the transaction that changes the rows. It cannot drift, and neither the bounds nor the
 * number of open rows need a scan.
 *
 * `lost_before`: messages with a smaller `published_at` are lost from the broker.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE ledger (id TEXT NOT NULL) STRICT;
  INSERT INTO ledger VALUES (lower(hex(randomblob(8))));

  CREATE TABLE requests (
    id TEXT NOT NULL UNIQUE,
    service TEXT NOT NULL,
    operation TEXT NOT NULL,
    request TEXT NOT NULL,
    target TEXT NOT NULL,
    formato TEXT NOT NULL,
    idioma TEXT NOT NULL,
    caller TEXT NOT NULL,
    request_id TEXT NOT NULL,
    traceparent TEXT NOT NULL,
    witness TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL
      CHECK (state IN ('aceptada', 'encolada', 'completada', 'fallida', 'vencida', 'cancelada')),
    attempts INTEGER NOT NULL,
    published_at INTEGER,
    interruptions INTEGER NOT NULL,
    closed_at INTEGER,
    history TEXT NOT NULL,
    answer_status INTEGER,
    answer_headers TEXT,
    answer_body BLOB,
    CHECK ((closed_at IS NULL) = (state IN ('aceptada', 'encolada')))
  ) STRICT;
  CREATE INDEX requests_due ON requests (service, due_at) WHERE closed_at IS NULL;
  CREATE INDEX requests_queued ON requests (service, due_at) WHERE state = 'encolada';
  CREATE INDEX requests_expiry ON requests (expires_at) WHERE closed_at IS NULL;
  CREATE INDEX requests_closed ON requests (closed_at) WHERE closed_at IS NOT NULL;

  CREATE TABLE totals (
    service TEXT PRIMARY KEY NOT NULL,
    rows INTEGER NOT NULL,
    open INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER request_accepted AFTER INSERT ON requests BEGIN
    INSERT INTO totals VALUES (NEW.service, 1, 1, octet_length(NEW.request))
      ON CONFLICT (service) DO UPDATE SET rows = rows + 1, open = open + 1, bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER request_closed AFTER UPDATE OF closed_at ON requests
  WHEN OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL BEGIN
    UPDATE totals SET open = open - 1, bytes = bytes + ifnull(octet_length(NEW.answer_body), 0)
      WHERE service = NEW.service;
  END;
  CREATE TRIGGER request_forgotten AFTER DELETE ON requests BEGIN
    UPDATE totals SET
      rows = rows - 1,
      open = open - (OLD.closed_at IS NULL),
      bytes = bytes - octet_length(OLD.request) - ifnull(octet_length(OLD.answer_body), 0)
    WHERE service = OLD.service;
  END;
  `,
  // The new columns precede the answer's, so the table is rebuilt, and its triggers with it.
  `
  ALTER TABLE ledger ADD COLUMN lost_before INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE requests_2 (
    id TEXT NOT NULL UNIQUE,
    service TEXT NOT NULL,
    operation TEXT NOT NULL,
    request TEXT NOT NULL,
    target TEXT NOT NULL,
    formato TEXT NOT NULL,
    idioma TEXT NOT NULL,
    caller TEXT NOT NULL,
    request_id TEXT NOT NULL,
    traceparent TEXT NOT NULL,
    witness TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    key TEXT,
    retry_of TEXT,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL
      CHECK (state IN ('aceptada', 'encolada', 'completada', 'fallida', 'vencida', 'cancelada')),
    attempts INTEGER NOT NULL,
    published_at INTEGER,
    interruptions INTEGER NOT NULL,
    closed_at INTEGER,
    history TEXT NOT NULL,
    answer_status INTEGER,
    answer_headers TEXT,
    answer_body BLOB,
    CHECK ((closed_at IS NULL) = (state IN ('aceptada', 'encolada')))
  ) STRICT;
  INSERT INTO requests_2 (rowid, id, service, operation, request, target, formato, idioma, caller, request_id,
      traceparent, witness, accepted_at, expires_at, due_at, state, attempts, published_at, interruptions, closed_at,
      history, answer_status, answer_headers, answer_body)
    SELECT rowid, id, service, operation, request, target, formato, idioma, caller, request_id,
      traceparent, witness, accepted_at, expires_at, due_at, state, attempts, published_at, interruptions, closed_at,
      history, answer_status, answer_headers, answer_body FROM requests ORDER BY rowid;
  DROP TABLE requests;
  ALTER TABLE requests_2 RENAME TO requests;
  CREATE INDEX requests_due ON requests (service, due_at) WHERE closed_at IS NULL;
  CREATE INDEX requests_queued ON requests (service, due_at) WHERE state = 'encolada';
  CREATE INDEX requests_expiry ON requests (expires_at) WHERE closed_at IS NULL;
  CREATE INDEX requests_closed ON requests (closed_at) WHERE closed_at IS NOT NULL;
  CREATE INDEX requests_listed ON requests (caller, state, id);
  CREATE UNIQUE INDEX requests_key ON requests (caller, key) WHERE key IS NOT NULL;
  CREATE TRIGGER request_accepted AFTER INSERT ON requests BEGIN
    INSERT INTO totals VALUES (NEW.service, 1, 1, octet_length(NEW.request))
      ON CONFLICT (service) DO UPDATE SET rows = rows + 1, open = open + 1, bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER request_closed AFTER UPDATE OF closed_at ON requests
  WHEN OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL BEGIN
    UPDATE totals SET open = open - 1, bytes = bytes + ifnull(octet_length(NEW.answer_body), 0)
      WHERE service = NEW.service;
  END;
  CREATE TRIGGER request_forgotten AFTER DELETE ON requests BEGIN
    UPDATE totals SET
      rows = rows - 1,
      open = open - (OLD.closed_at IS NULL),
      bytes = bytes - octet_length(OLD.request) - ifnull(octet_length(OLD.answer_body), 0)
    WHERE service = OLD.service;
  END;
  `, // A probe writes here and deletes it again.
  'CREATE TABLE scratch (bytes BLOB NOT NULL) STRICT;',
  // The whole row counts (row-size.ts), not only the bodies: an address may be longer than its request message.
  `
  DROP TRIGGER request_accepted;
  DROP TRIGGER request_closed;
  DROP TRIGGER request_forgotten;
  CREATE TRIGGER request_accepted AFTER INSERT ON requests BEGIN
    INSERT INTO totals VALUES (NEW.service, 1, 1, 400 + octet_length(NEW.request) + octet_length(NEW.target) + octet_length(NEW.caller)
        + octet_length(NEW.request_id) + octet_length(NEW.traceparent) + octet_length(NEW.witness)
        + ifnull(octet_length(NEW.key), 0) + ifnull(octet_length(NEW.retry_of), 0))
      ON CONFLICT (service) DO UPDATE SET rows = rows + 1, open = open + 1, bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER request_closed AFTER UPDATE OF closed_at ON requests
  WHEN OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL BEGIN
    UPDATE totals SET open = open - 1, bytes = bytes + ifnull(octet_length(NEW.answer_headers) + octet_length(NEW.answer_body), 0)
      WHERE service = NEW.service;
  END;
  CREATE TRIGGER request_forgotten AFTER DELETE ON requests BEGIN
    UPDATE totals SET
      rows = rows - 1,
      open = open - (OLD.closed_at IS NULL),
      bytes = bytes - (400 + octet_length(OLD.request) + octet_length(OLD.target) + octet_length(OLD.caller)
        + octet_length(OLD.request_id) + octet_length(OLD.traceparent) + octet_length(OLD.witness)
        + ifnull(octet_length(OLD.key), 0) + ifnull(octet_length(OLD.retry_of), 0))
        - ifnull(octet_length(OLD.answer_headers) + octet_length(OLD.answer_body), 0)
    WHERE service = OLD.service;
  END;
  UPDATE totals SET bytes = (
    SELECT ifnull(sum(400 + octet_length(requests.request) + octet_length(requests.target) + octet_length(requests.caller)
        + octet_length(requests.request_id) + octet_length(requests.traceparent) + octet_length(requests.witness)
        + ifnull(octet_length(requests.key), 0) + ifnull(octet_length(requests.retry_of), 0)
        + ifnull(octet_length(requests.answer_headers) + octet_length(requests.answer_body), 0)), 0)
    FROM requests WHERE requests.service = totals.service);
  `,
];
