//! Choices with names: one list from which text, parsing and every front end's help follow.

/// A choice among a few values that a user names.
///
/// ```
/// use noisefit_core::estimate::Collinear;
/// use noisefit_core::named::Named;
///
/// assert_eq!(Collinear::NAMES.iter().map(|named| named.name).collect::<Vec<_>>(), ["drop", "fail"]);
/// assert_eq!("fail".parse(), Ok(Collinear::Fail));
/// assert_eq!(Collinear::Drop.to_string(), "drop");
/// let error = "keep".parse::<Collinear>().unwrap_err();
/// assert_eq!(error.to_string(), "no 'keep' here; there are drop, fail");
/// ```
pub trait Named: Copy + PartialEq + Send + Sync + 'static {
    /// Every value with its name, in the order that help lists them.
    const NAMES: &'static [Name<Self>];

    /// The name of the value.
    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|named| named.value == self).map_or("", |named| named.name)
    }

    /// The value of a name.
    ///
    /// # Errors
    /// [`Unknown`] lists the names.
    fn of_name(text: &str) -> Result<Self, Unknown> {
        let found = Self::NAMES.iter().find(|named| named.name == text).map(|named| named.value);
        found.ok_or_else(|| Unknown {
            text: text.to_owned(),
            names: Self::NAMES.iter().map(|named| named.name).collect(),
        })
    }
}

/// A value, its name, and what it means in a line.
#[derive(Debug, Clone, Copy)]
pub struct Name<T> {
    /// The value.
    pub value: T,
    /// As it is written.
    pub name: &'static str,
    /// What it means; empty where the name says it.
    pub about: &'static str,
}

/// A text that is no name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    text: String,
    names: Vec<&'static str>,
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no '{}' here; there are {}", self.text, self.names.join(", "))
    }
}

impl std::error::Error for Unknown {}

/// The list of a type's names, and Display and FromStr by it.
#[macro_export]
macro_rules! named {
    ($type:ty { $($value:ident = $name:literal: $about:literal,)+ }) => {
        impl $crate::named::Named for $type {
            const NAMES: &'static [$crate::named::Name<Self>] =
                &[$($crate::named::Name { value: <$type>::$value, name: $name, about: $about }),+];
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::named::Named::name(*self))
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::named::Unknown;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::named::Named::of_name(text)
            }
        }
    };
}
