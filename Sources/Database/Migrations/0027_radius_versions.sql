-- Which versions of RADIUS may be spoken with a home server over TLS (RFC 9765): 1.0, 1.1, or what both sides have.
ALTER TABLE aaa.home_server
    ADD COLUMN radius_versions text NOT NULL DEFAULT '1.0,1.1' CHECK (radius_versions IN ('1.0', '1.0,1.1', '1.1'));
