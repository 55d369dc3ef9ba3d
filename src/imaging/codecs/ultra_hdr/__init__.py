"""Ultra HDR: a JPEG with a gain map, which is a second JPEG behind it (ISO 21496-1 and Android's Ultra HDR 1.1)."""
