//! For tests only: temporary databases, serving on port 0, a fixed clock, token minting.
