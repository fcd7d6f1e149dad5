//! Values of typed fields and of attributes, whatever of the usual types the user has them in.

use obs_core::{Str, Value};

/// A whole number, or none.
pub trait Count: Sized {
    /// It in 64 bits; none if it is negative.
    fn large(self) -> Option<u64>;

    /// It in 32 bits, the largest of them where it is larger.
    fn small(self) -> Option<u32> {
        self.large().map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    }
}

/// A number, or none.
pub trait Real {
    /// It as a float.
    fn real(self) -> Option<f64>;
}

/// What is an attribute's value more exactly than its JSON: floats that JSON lacks, text that is shared.
pub trait Own {
    /// It as a value.
    fn own(&self) -> Value;
}

macro_rules! counts {
    ($($number:ty),*) => {
        $(impl Count for $number {
            fn large(self) -> Option<u64> {
                u64::try_from(self).ok()
            }
        })*
    };
}

counts!(u8, u16, u32, u64, usize, i32, i64);

macro_rules! reals {
    ($($number:ty),*) => {
        $(impl Real for $number {
            fn real(self) -> Option<f64> {
                Some(self.into())
            }
        })*
    };
}

reals!(f32, f64, u8, u16, u32, i32);

impl<T: Count> Count for Option<T> {
    fn large(self) -> Option<u64> {
        self.and_then(Count::large)
    }
}

impl<T: Real> Real for Option<T> {
    fn real(self) -> Option<f64> {
        self.and_then(Real::real)
    }
}

impl Own for f32 {
    fn own(&self) -> Value {
        Value::from(*self)
    }
}

impl Own for f64 {
    fn own(&self) -> Value {
        Value::from(*self)
    }
}

impl Own for Str {
    fn own(&self) -> Value {
        Value::Str(self.clone())
    }
}

impl Own for Value {
    fn own(&self) -> Value {
        self.clone()
    }
}

impl<T: Own> Own for Option<T> {
    fn own(&self) -> Value {
        self.as_ref().map_or(Value::Null, Own::own)
    }
}

impl<T: Own + ?Sized> Own for &T {
    fn own(&self) -> Value {
        (**self).own()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_or_are_cut_to_the_largest() {
        assert_eq!((7_i32.small(), (-1_i64).large(), None::<u32>.large()), (Some(7), None, None));
        assert_eq!((u64::MAX.small(), Some(8_usize).small()), (Some(u32::MAX), Some(8)));
        assert_eq!((0.5_f32.real(), 2.real(), Some(1.5).real()), (Some(0.5), Some(2.0), Some(1.5)));
        assert_eq!(Some(f64::INFINITY).own(), Value::F64(f64::INFINITY));
    }
}
