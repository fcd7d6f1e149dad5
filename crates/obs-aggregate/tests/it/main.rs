//! The laws of views, over any interleaving.

mod conservation;
mod views;
