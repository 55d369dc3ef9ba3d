"""From stored bytes to pixels and back: decoders, encoders, negotiation, metadata."""
