//! What noisefit found, as people read it.
