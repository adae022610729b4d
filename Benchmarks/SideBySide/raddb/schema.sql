-- What the sql module is asked to read and write. Indexes are those that the statements in postgresql.conf use, and one for lists.
CREATE TABLE radcheck (id serial PRIMARY KEY, username text NOT NULL, attribute text NOT NULL, op varchar(2) NOT NULL, value text NOT NULL);
CREATE TABLE radreply (id serial PRIMARY KEY, username text NOT NULL, attribute text NOT NULL, op varchar(2) NOT NULL, value text NOT NULL);
CREATE TABLE radacct (
    id bigserial PRIMARY KEY,
    session_id text NOT NULL,
    unique_id text NOT NULL UNIQUE,
    username text,
    nas_identifier text,
    nas_port bigint,
    framed_ip inet,
    started_at timestamptz,
    updated_at timestamptz,
    stopped_at timestamptz,
    terminate_cause text,
    seconds bigint,
    input_octets bigint,
    output_octets bigint
);
CREATE INDEX radacct_started ON radacct (started_at, username);
