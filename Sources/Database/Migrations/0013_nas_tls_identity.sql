-- Whom the certificate of a RadSec connection from this NAS must name: DNS names, addresses or sha256:..., with blanks or commas between.
-- Null: any certificate of the authority that is trusted, and any pre-shared key.
ALTER TABLE aaa.nas
    ADD COLUMN tls_identity text CHECK (length(tls_identity) BETWEEN 1 AND 1000 AND tls_identity ~ '^[A-Za-z0-9._:*, -]+$');
