-- What the sql module is asked to read and write: the columns and indexes that FreeRADIUS's documentation names for these tables.
CREATE TABLE radcheck (id serial PRIMARY KEY, username text NOT NULL, attribute text NOT NULL, op varchar(2) NOT NULL, value text NOT NULL);
CREATE TABLE radreply (id serial PRIMARY KEY, username text NOT NULL, attribute text NOT NULL, op varchar(2) NOT NULL, value text NOT NULL);
CREATE TABLE radacct (
    radacctid bigserial PRIMARY KEY,
    acctsessionid text NOT NULL,
    acctuniqueid text NOT NULL UNIQUE,
    username text,
    realm text,
    nasipaddress inet,
    nasidentifier text,
    nasportid text,
    nasporttype text,
    acctstarttime timestamptz,
    acctupdatetime timestamptz,
    acctstoptime timestamptz,
    acctinterval bigint,
    acctsessiontime bigint,
    acctauthentic text,
    connectinfo_start text,
    connectinfo_stop text,
    acctinputoctets bigint,
    acctoutputoctets bigint,
    calledstationid text,
    callingstationid text,
    acctterminatecause text,
    servicetype text,
    framedprotocol text,
    framedipaddress inet,
    class text
);
CREATE INDEX radacct_active ON radacct (acctuniqueid) WHERE acctstoptime IS NULL;
CREATE INDEX radacct_of_nas ON radacct (nasipaddress, acctstarttime) WHERE acctstoptime IS NULL;
CREATE INDEX radacct_started ON radacct (acctstarttime, username);
