//! Colours that the colour-blind can tell apart, on light and on dark ground.

use serde::Serialize;

/// A colour by what it stands for: those of Okabe and Ito's palette (2008, *Color Universal Design*), moved as little as lets every
/// two of them be told apart by whoever sees two kinds of colour, and each from its ground; ink and greys.
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
            Colour::Grey => "#6f6f6f",
            Colour::Grid => "#e4e7ea",
            Colour::Ground => "#fffffe",
            Colour::Blue => "#0971b0",
            Colour::Vermillion => "#c15003",
            Colour::Green => "#059365",
            Colour::Purple => "#b15592",
            Colour::Orange => "#c88501",
            Colour::Sky => "#389ad5",
        }
    }

    /// On dark ground.
    pub fn on_dark(self) -> &'static str {
        match self {
            Colour::Ink => "#e8eaed",
            Colour::Grey => "#99999a",
            Colour::Grid => "#31373f",
            Colour::Ground => "#16191d",
            Colour::Blue => "#48aeef",
            Colour::Vermillion => "#fe8a47",
            Colour::Green => "#2fcf9e",
            Colour::Purple => "#ea93c6",
            Colour::Orange => "#f1b634",
            Colour::Sky => "#9bd5f5",
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

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(colour: &str) -> [f64; 3] {
        [1, 3, 5].map(|k| {
            let value = f64::from(u8::from_str_radix(&colour[k..k + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn times(matrix: &[[f64; 3]; 3], colour: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| row.iter().zip(colour).map(|(a, b)| a * b).sum::<f64>())
    }

    /// CIELAB of linear sRGB.
    fn lab(colour: [f64; 3]) -> [f64; 3] {
        let xyz = times(
            &[[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
            colour.map(|value| value.clamp(0.0, 1.0)),
        );
        let f = |t: f64| if t > 216.0 / 24389.0 { t.cbrt() } else { (24389.0 / 27.0 * t + 16.0) / 116.0 };
        let [x, y, z] = [f(xyz[0] / 0.95047), f(xyz[1]), f(xyz[2] / 1.08883)];
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn luminance(colour: &str) -> f64 {
        linear(colour).iter().zip([0.2126729, 0.7151522, 0.0721750]).map(|(value, share)| value * share).sum()
    }

    /// What whoever lacks one of the three kinds of cones sees (Machado, Oliveira and Fernandes 2009, *IEEE TVCG* 15, 1291-1298).
    const SEEN: [[[f64; 3]; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ];

    #[test]
    fn colours_can_be_told_apart_by_the_colour_blind_and_from_their_ground() {
        let drawn = Colour::ALL.into_iter().filter(|colour| !matches!(colour, Colour::Grid | Colour::Ground));
        let drawn: Vec<Colour> = drawn.collect();
        for of in [Colour::on_light, Colour::on_dark] {
            let ground = luminance(of(Colour::Ground));
            for (i, one) in drawn.iter().enumerate() {
                let own = luminance(of(*one));
                // WCAG 2.1, 1.4.11: of what is not text.
                let contrast = (own.max(ground) + 0.05) / (own.min(ground) + 0.05);
                assert!(contrast >= 3.0, "{one:?}: {contrast}");
                for other in &drawn[i + 1..] {
                    for seen in &SEEN {
                        let [a, b] = [one, other].map(|colour| lab(times(seen, linear(of(*colour)))));
                        let apart = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                        assert!(apart >= 12.0, "{one:?} and {other:?}: {apart}");
                    }
                }
            }
        }
    }
}
