//! Colours that the colour-blind can tell apart, on light and on dark ground.

use serde::Serialize;

/// A colour by what it stands for: Okabe and Ito's palette (2008, *Color Universal Design*), ink and greys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    /// Text and axes.
    Ink,
    /// What stands back: references, notes.
    Grey,
    /// The lines of the grid.
    Grid,
    /// The ground.
    Ground,
    /// The data; Gaussian noise.
    Blue,
    /// The fit; Laplace noise.
    Vermillion,
    /// Student's t noise.
    Green,
    /// Logistic noise.
    Purple,
    /// Huber noise.
    Orange,
    /// Cauchy noise.
    Sky,
}

impl Colour {
    /// Every colour.
    pub(crate) const ALL: [Colour; 10] = [
        Colour::Ink,
        Colour::Grey,
        Colour::Grid,
        Colour::Ground,
        Colour::Blue,
        Colour::Vermillion,
        Colour::Green,
        Colour::Purple,
        Colour::Orange,
        Colour::Sky,
    ];

    /// On light ground. No two are the same: by these a page finds what it paints otherwise on dark ground.
    pub fn on_light(self) -> &'static str {
        match self {
            Colour::Ink => "#1f2328",
            Colour::Grey => "#6b727a",
            Colour::Grid => "#e4e7ea",
            Colour::Ground => "#fffffe",
            Colour::Blue => "#0072b2",
            Colour::Vermillion => "#d55e00",
            Colour::Green => "#009e73",
            Colour::Purple => "#b5548c",
            Colour::Orange => "#c98500",
            Colour::Sky => "#3a9bd4",
        }
    }

    /// On dark ground.
    pub fn on_dark(self) -> &'static str {
        match self {
            Colour::Ink => "#e8eaed",
            Colour::Grey => "#a0a7b0",
            Colour::Grid => "#31373f",
            Colour::Ground => "#16191d",
            Colour::Blue => "#4fb0f0",
            Colour::Vermillion => "#ff8b47",
            Colour::Green => "#2fcf9f",
            Colour::Purple => "#e58fc0",
            Colour::Orange => "#f2b632",
            Colour::Sky => "#9fd6f7",
        }
    }

    /// The area of bars: mixed with the ground, so that lines are seen before it.
    pub(crate) fn of_bars(self, dark: bool) -> String {
        let (own, ground) = match dark {
            true => (self.on_dark(), Colour::Ground.on_dark()),
            false => (self.on_light(), Colour::Ground.on_light()),
        };
        mixed(own, ground, 0.55)
    }
}

/// A colour so much of which is another.
fn mixed(colour: &str, other: &str, share: f64) -> String {
    let channel =
        |text: &str, k: usize| text.get(1 + 2 * k..3 + 2 * k).and_then(|hex| u8::from_str_radix(hex, 16).ok());
    let mix = |k: usize| {
        let (a, b) = (channel(colour, k).unwrap_or(0), channel(other, k).unwrap_or(0));
        (f64::from(a) * (1.0 - share) + f64::from(b) * share).round() as u8
    };
    format!("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2))
}
