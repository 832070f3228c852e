//! What every noise family of the list must satisfy, whatever it is.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::near;
use noisefit_core::noise::{
    AsymmetricLaplace, Evaluate, Evaluated, FAMILIES, Gaussian, Huber, HuberScale, Information, Kernel, Laplace,
    Listed, Noise, NoiseFamily, Noises, Observations, Route, Scale, Shaped, StudentT, Visitor,
};

/// Some members of each family, with the residuals where the density has a kink.
fn for_every_family(check: impl Fn(&dyn NoiseFamily, &[f64])) {
    for noise in FAMILIES.iter().flat_map(Listed::samples) {
        let kinks = match (noise, noise.route()) {
            (Noise::Huber(family), _) => vec![-family.k(), family.k()],
            (_, Route::Vertex { .. }) => vec![0.0],
            _ => Vec::new(),
        };
        check(noise.family(), &kinks);
    }
}

/// A family with the required methods of another and every default.
#[derive(Debug)]
struct Defaults<'a>(&'a dyn NoiseFamily);

impl Evaluate for Defaults<'_> {
    fn evaluate(&self, r: f64) -> Evaluated {
        self.0.evaluate(r)
    }
    fn log_normaliser(&self) -> f64 {
        self.0.log_normaliser()
    }
}

impl NoiseFamily for Defaults<'_> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn cdf(&self, r: f64) -> f64 {
        self.0.cdf(r)
    }
    fn quantile(&self, p: f64) -> f64 {
        self.0.quantile(p)
    }
    // What a density that is not symmetric cannot do without.
    fn survival(&self, r: f64) -> f64 {
        self.0.survival(r)
    }
    fn upper_quantile(&self, p: f64) -> f64 {
        self.0.upper_quantile(p)
    }
    fn mean(&self) -> f64 {
        self.0.mean()
    }
    // What a density with kinks elsewhere than at 0 cannot.
    fn expectation(&self, g: &dyn Fn(f64) -> f64) -> f64 {
        self.0.expectation(g)
    }
}

/// A kernel as a family beside the family's own functions.
struct KernelOf<'a>(&'a dyn NoiseFamily);

impl Visitor for KernelOf<'_> {
    type Output = ();

    fn visit<K: Kernel>(self, kernel: K) {
        let KernelOf(family) = self;
        for r in RESIDUALS {
            assert_eq!(kernel.at(r).value + kernel.constant(), family.evaluate(r).value + family.log_normaliser());
            assert_eq!(kernel.at(r).score, family.evaluate(r).score);
        }
        let (own, of_kernel) = (family.information(), kernel.expected());
        near(of_kernel.location, own.location, 1e-15);
        near(of_kernel.log_scale, own.log_scale, 1e-15);
        // A kernel travels.
        let text = serde_json::to_string(&kernel).unwrap();
        let back: K = serde_json::from_str(&text).unwrap();
        assert_eq!(format!("{back:?}"), format!("{kernel:?}"));
    }

    fn visit_shaped<K: Shaped>(self, kernel: K) {
        assert_eq!(kernel.estimated().family().information(), self.0.information());
        KernelOf(self.0).visit(kernel.held());
        self.visit(kernel);
        // Derivatives by the shape are those of finite differences, up to the ends of its range.
        let (low, high) = (*K::SHAPES.start(), *K::SHAPES.end());
        for theta in [0.2, 0.5, 0.9].map(|part| low + part * (high - low)) {
            let h = 1e-4 * (high - low);
            let at = |theta: f64, r: f64| kernel.with_parameter(theta).at(r);
            for r in RESIDUALS {
                let found = at(theta, r);
                let slope = (at(theta + h, r).value - at(theta - h, r).value) / (2.0 * h);
                assert!((found.by_shape - slope).abs() < 1e-6 * (1.0 + r * r), "{kernel:?} at {theta}, {r}");
                let slope = (at(theta + h, r).score - at(theta - h, r).score) / (2.0 * h);
                assert!((found.score_by_shape - slope).abs() < 1e-6 * (1.0 + r.abs()), "{kernel:?} at {theta}, {r}");
            }
        }
    }
}

#[test]
fn kernels_are_those_of_their_families() {
    for noise in FAMILIES.iter().flat_map(Listed::samples) {
        noise.visit(KernelOf(noise.family()));
    }
}

#[test]
fn every_family_is_written_and_read_alike() {
    for family in FAMILIES {
        assert!(!family.description.about.is_empty() && !family.description.usage.is_empty());
        for usage in family.description.usage {
            assert_eq!(usage.split(':').next(), Some(family.name));
        }
        for noise in family.samples() {
            assert_eq!(noise.family().name(), family.name);
            assert!(noise.is_density() && noise.check().is_ok(), "{noise:?}");
            let named = noise.named();
            let text = Noises::from(named).to_string();
            // Huber's k is an option of its own on the command line.
            match (text.parse::<Noises>().unwrap()[..].to_owned().remove(0), named) {
                (Noise::Huber(found), Noise::Huber(expected)) => assert_eq!(found.delta, expected.delta),
                (found, expected) => assert_eq!(found, expected, "{text}"),
            }
            assert_eq!(named.named(), named);
            assert!(noise.to_string().starts_with(family.name), "{noise}");
            let json = serde_json::to_string(&noise).unwrap();
            assert!(json.starts_with(&format!(r#"{{"family":"{}""#, family.name)), "{json}");
            assert_eq!(serde_json::from_str::<Noise>(&json).unwrap(), noise);
            let json = serde_json::to_string(&named).unwrap();
            assert_eq!(serde_json::from_str::<Noise>(&json).unwrap(), named);
        }
        let wrong = format!("{}:banana", family.name).parse::<Noises>().unwrap_err().to_string();
        assert!(wrong.starts_with(&format!("'{}:banana': ", family.name)), "{wrong}");
        let misspelt = format!("{}x", family.name).parse::<Noises>().unwrap_err().to_string();
        assert!(misspelt.contains(&format!("did you mean '{}'?", family.name)), "{misspelt}");
    }
}

fn is_symmetric(family: &dyn NoiseFamily) -> bool {
    family.score(-1.0) == -family.score(1.0)
}

const RESIDUALS: [f64; 11] = [-31.0, -4.2, -1.7, -1.0, -0.3, -0.011, 0.02, 0.4, 1.3, 3.9, 20.0];

/// Boole's composite rule with ten thousand panels: far more than smooth densities need.
fn integrate(f: impl Fn(f64) -> f64, from: f64, to: f64) -> f64 {
    boole(10_000, f, from, to)
}

/// Boole's composite rule.
fn boole(panels: i32, f: impl Fn(f64) -> f64, from: f64, to: f64) -> f64 {
    let h = (to - from) / f64::from(4 * panels);
    let panel = |k: i32| {
        let x = from + 4.0 * h * f64::from(k);
        7.0 * f(x) + 32.0 * f(x + h) + 12.0 * f(x + 2.0 * h) + 32.0 * f(x + 3.0 * h) + 7.0 * f(x + 4.0 * h)
    };
    (0..panels).map(panel).sum::<f64>() * 2.0 * h / 45.0
}

#[test]
fn derivatives_are_those_of_finite_differences() {
    for_every_family(|family, kinks| {
        for r in RESIDUALS {
            let h = 1e-3;
            if kinks.iter().any(|kink| (r - kink).abs() <= 2.0 * h) {
                continue;
            }
            // Central differences of fourth order: the error is h^4 times a derivative of order one, and rounding / h.
            let slope =
                |f: &dyn Fn(f64) -> f64| (8.0 * (f(r + h) - f(r - h)) - (f(r + 2.0 * h) - f(r - 2.0 * h))) / (12.0 * h);
            let size = 1.0 + r * r;
            assert!((family.score(r) - slope(&|r| family.negative_log_density(r))).abs() < 1e-11 * size, "{family:?}");
            assert!((family.curvature(r) - slope(&|r| family.score(r))).abs() < 1e-11 * size, "{family:?}");
            near(family.weight(r), family.score(r) / r, 1e-15);
        }
    });
}

#[test]
fn a_weighted_square_majorises_the_negative_log_density() {
    for_every_family(|family, _| {
        if !is_symmetric(family) {
            return;
        }
        for at in RESIDUALS {
            for r in RESIDUALS {
                let bound = family.negative_log_density(at) + 0.5 * family.weight(at) * (r * r - at * at);
                assert!(
                    family.negative_log_density(r) <= bound + 1e-12 * (1.0 + bound.abs()),
                    "{family:?} at {at}, {r}"
                );
            }
        }
    });
}

#[test]
fn density_integrates_to_one_and_to_the_distribution_function() {
    for_every_family(|family, kinks| {
        let density = |r: f64| (-family.negative_log_density(r)).exp();
        // Pieces end at the kinks. What lies 45 scales out is the family's own word.
        let up_to = |end: f64| {
            let mut cuts = vec![-45.0];
            cuts.extend(kinks.iter().filter(|&&kink| kink < end));
            cuts.push(end);
            family.cdf(-45.0) + cuts.windows(2).map(|piece| integrate(density, piece[0], piece[1])).sum::<f64>()
        };
        near(up_to(45.0) + family.survival(45.0), 1.0, 1e-12);
        for r in [-5.0, -1.0, -0.2, 0.0, 0.7, 2.0, 4.0] {
            near(family.cdf(r), up_to(r), 1e-11);
            near(family.cdf(r) + family.survival(r), 1.0, 1e-15);
        }
    });
}

#[test]
fn quantiles_invert_the_distribution_function_in_both_tails() {
    for_every_family(|family, _| {
        for exponent in [1.0, 2.5, 5.0, 10.0, 30.0, 100.0, 200.0, 300.0] {
            let p = 10f64.powf(-exponent);
            let r = family.quantile(p);
            // A unit in the last place of the quantile moves the probability by r psi(r) units.
            let tolerance = 4e-16 * (4.0 + (r * family.score(r)).abs());
            near(family.cdf(r), p, tolerance);
            near(family.survival(family.upper_quantile(p)), p, tolerance);
        }
        for p in [0.03, 0.2, 0.4999, 0.5, 0.51, 0.9, 0.999] {
            near(family.cdf(family.quantile(p)), p, 4e-15);
            near(family.survival(family.upper_quantile(p)), p, 4e-15);
            near(family.cdf(family.sample(p)), p, 4e-15);
        }
        assert_eq!(family.quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(family.quantile(1.0), f64::INFINITY);
        let (low, high) = family.interval(0.9).unwrap();
        near(family.cdf(high) - family.cdf(low), 0.9, 1e-14);
        assert_eq!(family.interval(1.0).unwrap_err().to_string(), "level is 1 and must be between 0 and 1");
    });
}

#[test]
fn overrides_agree_with_the_defaults() {
    for_every_family(|family, _| {
        let default = Defaults(family);
        // The double exponential rule leaves about 1e-14.
        assert!((family.mean() - family.expectation(&|r| r)).abs() < 1e-12 * family.variance().sqrt());
        if family.variance().is_finite() {
            near(family.variance(), default.variance(), 1e-12);
        }
        let (own, generic) = (family.information(), default.information());
        near(own.location, generic.location, 1e-12);
        near(own.log_scale, generic.log_scale, 1e-12);
        assert!((own.cross - generic.cross).abs() < 1e-12);
        for residuals in [&RESIDUALS[..], &[1e-200, 3e-200], &[2.0], &[0.0, 0.0, -1e250, 1e249]] {
            let scale = family.maximum_likelihood_scale(residuals, None).unwrap();
            near(default.maximum_likelihood_scale(residuals, None).unwrap(), scale, 1e-14);
        }
        assert_eq!(default.maximum_likelihood_scale(&[0.0, 0.0], None).unwrap(), 0.0);
        for r in RESIDUALS {
            near(family.negative_log_density(r), default.negative_log_density(r), 1e-15);
            near(family.score(r), default.score(r), 1e-15);
            near(family.curvature(r), default.curvature(r), 1e-14);
            near(family.weight(r), default.weight(r), 1e-15);
        }
    });
}

#[test]
fn expected_information_is_the_mean_of_the_curvature_where_there_is_no_kink() {
    for_every_family(|family, kinks| {
        if kinks.is_empty() {
            near(family.expectation(&|r| family.curvature(r)), family.information().location, 1e-12);
        }
    });
}

#[test]
fn the_maximum_likelihood_scale_is_a_maximum_and_moves_with_the_units() {
    for_every_family(|family, _| {
        let frequencies = [1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 5.0, 1.0, 0.5, 1.0, 2.0];
        let zeros = [0.0; RESIDUALS.len()];
        let scale = family.maximum_likelihood_scale(&RESIDUALS, Some(&frequencies)).unwrap();
        let at = |s: f64| {
            let rows = Observations::new(&RESIDUALS, &zeros, Scale::Common(s)).unwrap();
            family.log_likelihood(&rows.with_frequencies(&frequencies).unwrap())
        };
        for nearby in [0.5, 0.99, 0.9999, 1.0001, 1.01, 2.0] {
            assert!(at(scale * nearby) < at(scale), "{family:?}");
        }
        for units in [1e-300, 1e-5, 7.0, 1e280] {
            let moved = RESIDUALS.map(|e| e * units);
            near(family.maximum_likelihood_scale(&moved, Some(&frequencies)).unwrap(), scale * units, 1e-14);
        }
    });
}

#[test]
fn frequencies_are_repeated_rows_and_weights_are_scales() {
    for_every_family(|family, _| {
        let (y, mu, frequencies) = ([1.0, -2.0, 0.5], [0.2, 0.1, 0.7], [2.0, 1.0, 3.0]);
        let rows = Observations::new(&y, &mu, Scale::Common(0.8)).unwrap();
        let counted = rows.with_frequencies(&frequencies).unwrap();
        let (long_y, long_mu) = ([1.0, 1.0, -2.0, 0.5, 0.5, 0.5], [0.2, 0.2, 0.1, 0.7, 0.7, 0.7]);
        let repeated = Observations::new(&long_y, &long_mu, Scale::Common(0.8)).unwrap();
        near(family.log_likelihood(&counted), family.log_likelihood(&repeated), 1e-15);
        let (mut short, mut long) = ([0.0; 3], [0.0; 6]);
        family.gradient(&counted, &mut short, None).unwrap();
        family.gradient(&repeated, &mut long, None).unwrap();
        near(short[2], long[3] + long[4] + long[5], 1e-15);
        near(
            family.maximum_likelihood_scale(&y, Some(&frequencies)).unwrap(),
            family.maximum_likelihood_scale(&long_y, None).unwrap(),
            1e-15,
        );
        let weighted = rows.with_weights(&[4.0, 1.0, 0.25]).unwrap();
        let scaled = Observations::new(&y, &mu, Scale::PerRow(&[0.4, 0.8, 1.6])).unwrap();
        near(family.log_likelihood(&weighted), family.log_likelihood(&scaled), 1e-15);
    });
}

#[test]
fn the_gradient_is_that_of_the_log_likelihood() {
    for_every_family(|family, _| {
        let (y, mu, s) = ([1.0, -2.0, 0.5, 4.0], [0.2, 0.1, 0.7, 1.0], [0.5, 1.5, 2.0, 0.9]);
        let frequencies = [1.0, 2.0, 0.5, 1.0];
        let value = |mu: &[f64], s: &[f64]| {
            let rows = Observations::new(&y, mu, Scale::PerRow(s)).unwrap().with_frequencies(&frequencies).unwrap();
            family.log_likelihood(&rows)
        };
        let rows = Observations::new(&y, &mu, Scale::PerRow(&s)).unwrap().with_frequencies(&frequencies).unwrap();
        let (mut by_location, mut by_log_scale) = ([0.0; 4], [0.0; 4]);
        let total = family.gradient(&rows, &mut by_location, Some(&mut by_log_scale)).unwrap();
        assert_eq!(total, value(&mu, &s));
        // Central differences: error h^2 and rounding / h, both about 1e-10.
        let h = 1e-5;
        for i in 0..4 {
            let moved = |by: f64| (0..4).map(|j| mu[j] + if i == j { by } else { 0.0 }).collect::<Vec<_>>();
            let slope = (value(&moved(h), &s) - value(&moved(-h), &s)) / (2.0 * h);
            assert!((by_location[i] - slope).abs() < 1e-8, "{family:?}");
            let moved = |by: f64| (0..4).map(|j| s[j] * if i == j { by.exp() } else { 1.0 }).collect::<Vec<_>>();
            let slope = (value(&mu, &moved(h)) - value(&mu, &moved(-h))) / (2.0 * h);
            assert!((by_log_scale[i] - slope).abs() < 1e-8, "{family:?}");
        }
        let error = family.gradient(&rows, &mut [0.0; 3], None).unwrap_err();
        assert_eq!(error.to_string(), "the gradient by location has 3 values where 4 were expected");
    });
}

#[test]
fn extreme_residuals_give_no_nan() {
    for_every_family(|family, _| {
        for exponent in (-300..=300).step_by(25) {
            let size = 10f64.powi(exponent);
            for sign in [-1.0, 1.0] {
                let r = sign * size;
                assert!(family.negative_log_density(r) > 0.0);
                assert!((r * family.score(r)).is_finite() || family.variance().is_finite(), "{family:?} {r:e}");
                assert!(family.score(r) * sign >= 0.0 && family.weight(r) >= 0.0 && !family.curvature(r).is_nan());
                assert!((0.0..=1.0).contains(&family.cdf(r)) && (0.0..=1.0).contains(&family.survival(r)));
                for (y, scale) in [(r, 1.0), (sign, size)] {
                    let (y, mu) = ([y], [0.0]);
                    let rows = Observations::new(&y, &mu, Scale::Common(scale)).unwrap();
                    let (mut location, mut log_scale) = ([0.0], [0.0]);
                    let value = family.gradient(&rows, &mut location, Some(&mut log_scale)).unwrap();
                    assert!(!value.is_nan() && !location[0].is_nan() && !log_scale[0].is_nan(), "{family:?} {r:e}");
                }
            }
        }
        assert_eq!((family.cdf(f64::INFINITY), family.survival(f64::INFINITY)), (1.0, 0.0));
        assert_eq!((family.cdf(f64::NEG_INFINITY), family.survival(f64::NEG_INFINITY)), (0.0, 1.0));
    });
}

#[test]
fn constants_of_gaussian_and_laplace() {
    // mpmath, 30 digits.
    near(Gaussian.negative_log_density(0.0), 0.918_938_533_204_672_7, 1e-16);
    near(Gaussian.negative_log_density(1.7), 2.363_938_533_204_672_7, 1e-15);
    near(Gaussian.cdf(-30.2), 1.184_291_478_610_937_9e-200, 1e-14);
    near(Gaussian.quantile(1e-300), -37.047_096_299_361_2, 1e-15);
    assert_eq!(Gaussian.information(), Information { location: 1.0, log_scale: 2.0, cross: 0.0 });
    near(Laplace.negative_log_density(-2.5), 3.193_147_180_559_945_3, 1e-15);
    near(Laplace.cdf(-400.0), 9.575_847_983_570_028e-175, 1e-15);
    near(Laplace.quantile(0.999), 6.214_608_098_422_191, 1e-15);
    near(Laplace.upper_quantile(1e-300), 690.082_380_717_653_8, 1e-15);
    // At the kink.
    assert_eq!((Laplace.score(0.0), Laplace.weight(0.0), Laplace.curvature(0.0)), (0.0, f64::INFINITY, 0.0));
}

#[test]
fn refusals_say_what_is_wrong() {
    for_every_family(|family, _| {
        let scale = |residuals: &[f64], frequencies| {
            family.maximum_likelihood_scale(residuals, frequencies).unwrap_err().to_string()
        };
        assert_eq!(scale(&[], None), "no rows to fit");
        assert_eq!(scale(&[1.0, f64::NAN], None), "residuals, row 2: NaN where a finite number was expected");
        let message = "frequencies, row 1: -1 where a positive finite number was expected";
        assert_eq!(scale(&[1.0], Some(&[-1.0])), message);
    });
    let scale = Observations::new(&[1.0], &[1.0], Scale::Common(0.0)).unwrap_err();
    assert_eq!(scale.to_string(), "scale is 0 and must be positive and finite");
    let scale = Observations::new(&[1.0], &[1.0], Scale::PerRow(&[f64::INFINITY])).unwrap_err();
    assert_eq!(scale.to_string(), "scale, row 1: inf where a positive finite number was expected");
}

#[test]
fn noise_is_named_alike_in_text_and_in_json() {
    for (noise, json) in [
        (Noise::Gaussian, r#"{"family":"gaussian"}"#),
        (Noise::Laplace, r#"{"family":"laplace"}"#),
        (Noise::Quantile(AsymmetricLaplace { tau: 0.9 }), r#"{"family":"quantile","tau":0.9}"#),
        (Noise::Huber(Huber::new(1.345)), r#"{"family":"huber","k":1.345}"#),
        (Noise::StudentT(StudentT::estimated(4.5)), r#"{"family":"student-t","df":4.5,"df_estimated":true}"#),
        (
            Noise::StudentT(StudentT::estimated(f64::INFINITY)),
            r#"{"family":"student-t","df":null,"df_estimated":true}"#,
        ),
        (
            Noise::Huber(Huber { scale: HuberScale::Mad { constant: 0.6 }, ..Huber::new(1.345) }),
            r#"{"family":"huber","k":1.345,"scale_rule":"mad:0.6"}"#,
        ),
        (Noise::Huber(Huber::fixed(2.5).at(1.25)), r#"{"family":"huber","k":1.25,"delta":2.5}"#),
        (Noise::StudentT(StudentT::FREE), r#"{"family":"student-t","df_estimated":true}"#),
        (Noise::Logistic, r#"{"family":"logistic"}"#),
    ] {
        assert_eq!(serde_json::to_string(&noise).unwrap(), json);
        assert_eq!(serde_json::from_str::<Noise>(json).unwrap(), noise);
    }
    for choice in
        ["gaussian", "laplace", "quantile:0.1,0.9", "huber", "huber:2.5", "student-t", "student-t:4", "logistic"]
    {
        assert_eq!(choice.parse::<Noises>().unwrap().to_string(), choice);
    }
    let error = serde_json::from_str::<Noise>(r#"{"family": "gausian"}"#).unwrap_err().to_string();
    assert!(error.contains("gausian") && error.contains("`gaussian`") && error.contains("`laplace`"), "{error}");
}

#[test]
fn crps_is_the_integral_of_its_definition() {
    for_every_family(|family, kinks| {
        // Infinite where the mean is.
        if family.crps(0.3) == f64::INFINITY {
            return assert_eq!(family.variance(), f64::INFINITY, "{family:?}");
        }
        for r in RESIDUALS {
            // In pieces between kinks, by x = sinh(t), which reaches the tails of any finite mean.
            let mut ends: Vec<f64> = [-1e9, r, 1e9].into_iter().chain(kinks.iter().copied()).collect();
            ends.sort_by(f64::total_cmp);
            let below = |t: f64| family.cdf(t.sinh()).powi(2) * t.cosh();
            let above = |t: f64| family.survival(t.sinh()).powi(2) * t.cosh();
            let piece = |from: f64, to: f64| match to <= r {
                true => boole(500, below, from.asinh(), to.asinh()),
                false => boole(500, above, from.asinh(), to.asinh()),
            };
            let expected: f64 = ends.windows(2).map(|ends| piece(ends[0], ends[1])).sum();
            near(family.crps(r), expected, 1e-10);
            // The default has no pieces at the kinks of others than Laplace's.
            near(Defaults(family).crps(r), expected, if kinks.iter().all(|&kink| kink == 0.0) { 1e-10 } else { 1e-7 });
        }
    });
}

#[test]
fn crps_is_infinite_where_the_mean_is() {
    assert_eq!(StudentT::estimated(1.0).crps(0.3), f64::INFINITY);
}
