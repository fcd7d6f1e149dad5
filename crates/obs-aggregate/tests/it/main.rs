//! The laws of views, over any interleaving.

mod buckets;
mod chains;
mod conservation;
mod exemplars;
mod extremes;
mod mistakes;
mod views;
