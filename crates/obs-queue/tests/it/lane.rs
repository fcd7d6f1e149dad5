//! A lane on disk is the queue in memory, which can forget.
