//! What hostile peers do.
