-- What a subscriber's SIM card has in common with us, for EAP-SIM, EAP-AKA and EAP-AKA'. Sealed; inside is text: KI:OPC, KI:OPC:AMF or KI:op=OP.
ALTER TABLE aaa.subscriber ADD COLUMN sim_credential bytea;
