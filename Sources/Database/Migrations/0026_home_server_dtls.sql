-- Home servers over DTLS (RFC 7360). A daemon of before takes what it does not know for udp: update all nodes before the first row says dtls.
ALTER TABLE aaa.home_server
    DROP CONSTRAINT home_server_transport_check,
    ADD CONSTRAINT home_server_transport_check CHECK (transport IN ('udp', 'tcp', 'tls', 'dtls'));
