//! The two kinds of numbers that losses are stored in.

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`. Losses of either are computed in `f64`.
pub trait Real: sealed::Sealed + Copy + Send + Sync + std::fmt::Debug + 'static {
    /// The number as a double.
    fn widen(self) -> f64;

    /// The nearest number to a double.
    fn narrow(value: f64) -> Self;
}

impl Real for f32 {
    #[inline(always)]
    fn widen(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn narrow(value: f64) -> Self {
        value as f32
    }
}

impl Real for f64 {
    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }

    #[inline(always)]
    fn narrow(value: f64) -> Self {
        value
    }
}
