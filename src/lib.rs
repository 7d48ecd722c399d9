//! pseud
