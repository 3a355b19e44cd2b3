//! The identity to take part with, from a key file.
