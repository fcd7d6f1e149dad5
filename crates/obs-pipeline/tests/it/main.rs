//! The laws of delivery, through the public interface.

mod everyday;
mod make;
