-- NASes whose IPv4 addresses were stored as ::ffff:a.b.c.d. The interface writes and looks for them as IPv4, so that nobody found these,
-- and another NAS could get the address.
SET LOCAL ROLE lastmile_system;
UPDATE aaa.nas n SET address = m.address, version = n.version + 1, updated_at = now()
FROM (
    SELECT id, set_masklen('0.0.0.0'::inet + (host(address)::inet - '::ffff:0.0.0.0'::inet), masklen(address) - 96)::cidr AS address
    FROM aaa.nas WHERE address <<= '::ffff:0.0.0.0/96'
) m
WHERE n.id = m.id AND NOT EXISTS (
    SELECT FROM aaa.nas o WHERE o.address = m.address AND o.nas_identifier IS NOT DISTINCT FROM n.nas_identifier);
RESET ROLE;
