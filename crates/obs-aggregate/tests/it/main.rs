//! The laws of views, over any interleaving.

mod buckets;
mod chains;
mod conservation;
mod exemplars;
mod mistakes;
mod views;
