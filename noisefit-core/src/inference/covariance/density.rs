//! How dense residuals are about zero.

/// More residuals than this and the kernel is as wide everywhere: what the density is for is then next to nothing.
const ADAPTIVE: usize = 5000;

/// The density of residuals at zero by an adaptive normal kernel (Silverman 1986, *Density Estimation*, section 5.3; Portnoy and
/// Koenker 1989, *Annals of Statistics* 17, 362-381), as `akj` of R's quantreg has it: the width `h = 0.9 min(sd, IQR / 1.34) n^(-1/5)`
/// times the root of the mean over the local density of a first one of that width. None where the residuals do not spread.
pub(super) fn density_at_zero(residuals: &[f64], frequencies: Option<&[f64]>) -> Option<f64> {
    let f = |i: usize| frequencies.map_or(1.0, |f| f[i]);
    let n: f64 = (0..residuals.len()).map(f).sum();
    let mean = residuals.iter().enumerate().map(|(i, e)| f(i) * e).sum::<f64>() / n;
    let squares: f64 = residuals.iter().enumerate().map(|(i, e)| f(i) * (e - mean).powi(2)).sum();
    let deviation = (squares / (n - 1.0)).sqrt();
    let mut ordered: Vec<(f64, f64)> = residuals.iter().copied().enumerate().map(|(i, e)| (e, f(i))).collect();
    ordered.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let ranked = |rank: f64| {
        let mut left = rank;
        let found = ordered.iter().find(|(_, f)| {
            left -= f;
            left < 0.0
        });
        found.or(ordered.last()).map_or(0.0, |(e, _)| *e)
    };
    let quartile = |share: f64| {
        let place = (n - 1.0) * share;
        let (below, part) = (place.floor(), place.fract());
        ranked(below) * (1.0 - part) + ranked((below + 1.0).min(n - 1.0)) * part
    };
    let middle = (quartile(0.75) - quartile(0.25)) / 1.34;
    let spread = if middle > 0.0 { deviation.min(middle) } else { deviation };
    let width = 0.9 * spread * n.powf(-0.2);
    if !(width > 0.0 && width.is_finite()) {
        return None;
    }
    let kernel = |distance: f64, width: f64| {
        let r = distance / width;
        (-0.5 * r * r).exp() / ((2.0 * std::f64::consts::PI).sqrt() * width)
    };
    let at = |x: f64, widths: &dyn Fn(usize) -> f64| {
        residuals.iter().enumerate().map(|(i, e)| f(i) * kernel(x - e, widths(i))).sum::<f64>() / n
    };
    if residuals.len() > ADAPTIVE {
        return Some(at(0.0, &|_| width));
    }
    let first: Vec<f64> = residuals.iter().map(|e| at(*e, &|_| width).ln()).collect();
    let typical = first.iter().enumerate().map(|(i, log)| f(i) * log).sum::<f64>() / n;
    Some(at(0.0, &|i| width * (0.5 * (typical - first[i])).exp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_residuals_of_stackloss() {
        // The median regression's, and the same formula in numpy (with quartiles of type 7), which gives the errors of quantreg's wild bootstrap.
        let residuals = [
            5.0608695652,
            0.0,
            5.4289855072,
            7.6347826087,
            -1.2173913043,
            -1.7913043478,
            -1.0,
            0.0,
            -1.4637681159,
            -0.0202898551,
            0.5275362319,
            0.0405797101,
            -2.8985507246,
            -1.8028985507,
            1.1826086957,
            0.0,
            -0.4260869565,
            0.0,
            0.4869565217,
            1.6173913043,
            -9.4811594203,
        ];
        let found = density_at_zero(&residuals, None).unwrap_or_default();
        assert!((found - 0.348_145_755_976_256_85).abs() < 1e-9, "{found}");
        // Counted twice is standing there twice.
        let twice: Vec<f64> = residuals.iter().flat_map(|e| [*e, *e]).collect();
        let counted = density_at_zero(&residuals, Some(&[2.0; 21])).unwrap_or_default();
        let expanded = density_at_zero(&twice, None).unwrap_or_default();
        assert!((counted / expanded - 1.0).abs() < 1e-12);
        assert_eq!(density_at_zero(&[0.0; 4], None), None);
    }
}
