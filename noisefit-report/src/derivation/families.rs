//! What the derivation of each family says: formulas as TeX, and the same as functions, which tests hold against the family's own.

use noisefit_core::noise::{AsymmetricLaplace, Evaluate, Huber, HuberScale, Noise, StudentT};

use crate::text::significant;

/// The parts of a derivation that differ from family to family; `-ln f(r) = c + rho(r)`, and `psi` is the derivative of `rho`.
pub(super) struct Family {
    /// The letter of the scale.
    pub(super) scale: &'static str,
    pub(super) density_words: &'static str,
    pub(super) density: String,
    pub(super) constant: String,
    pub(super) rho: String,
    pub(super) loss_words: &'static str,
    /// What is minimised, of one scale.
    pub(super) loss: &'static str,
    /// What the least loss is called, where it is `n s^power`.
    pub(super) loss_total: Option<(&'static str, i32)>,
    pub(super) gradient_words: &'static str,
    pub(super) gradient: &'static str,
    pub(super) psi: String,
    pub(super) estimator_words: &'static str,
    pub(super) estimator: &'static str,
    pub(super) scale_words: &'static str,
    pub(super) scale_formula: &'static str,
    pub(super) at_maximum: &'static str,
    /// `c` as a number, and `rho` as a function: held against the family's own by the tests.
    #[cfg_attr(not(test), allow(dead_code, reason = "what is written is tested by it"))]
    pub(super) constant_value: f64,
    #[cfg_attr(not(test), allow(dead_code, reason = "what is written is tested by it"))]
    pub(super) rho_value: Box<dyn Fn(f64) -> f64>,
}

const SCORE: &str = "\\sum_{i=1}^n \\psi(r_i) x_i = 0";
const SCALE_SCORE: &str = "\\sum_{i=1}^n r_i \\psi(r_i) = n";
const DROPPED: &str = "What does not depend on the coefficients is dropped; what is left is the loss.";

pub(super) fn family(noise: &Noise) -> Family {
    match noise {
        Noise::Gaussian => gaussian(),
        Noise::Laplace => laplace(),
        Noise::Quantile(own) => quantile(*own),
        Noise::StudentT(own) => student_t(*own),
        Noise::Logistic => logistic(),
        Noise::Huber(own) => huber(*own),
        Noise::Cauchy => cauchy(),
    }
}

fn gaussian() -> Family {
    Family {
        scale: "\\sigma",
        density_words: "Errors that add up from many small ones are Gaussian: each response has this density.",
        density: "f(r) = \\frac{1}{\\sqrt{2 \\pi}} e^{-r^2 / 2}".to_owned(),
        constant: "c = \\frac{1}{2} \\ln (2 \\pi) = 0.9189385".to_owned(),
        rho: "\\rho(r) = \\frac{r^2}{2}".to_owned(),
        loss_words: "What does not depend on the coefficients is dropped, the factor 1/(2 \u{3c3}\u{b2}) with it: squared error is what is left of Gaussian noise.",
        loss: "\\sum_{i=1}^n (y_i - x_i^\\top \\beta)^2",
        loss_total: Some(("SSE", 2)),
        gradient_words: "The gradient of the loss is zero at its least.",
        gradient: "-2 X^\\top (y - X \\beta) = 0",
        psi: "\\psi(r) = r".to_owned(),
        estimator_words: "These are the normal equations; they are linear, so that the estimator is a formula.",
        estimator: "X^\\top X \\hat\\beta = X^\\top y, \\quad \\hat\\beta = (X^\\top X)^{-1} X^\\top y",
        scale_words: "The derivative by the scale is zero at the root of the mean square.",
        scale_formula: "\\frac{\\partial \\ell}{\\partial \\sigma} = -\\frac{n}{\\sigma} + \\frac{SSE}{\\sigma^3} = 0, \\quad \\hat\\sigma = \\sqrt{\\frac{SSE}{n}}",
        at_maximum: "-\\hat\\ell = \\frac{n}{2} \\left(\\ln (2 \\pi \\hat\\sigma^2) + 1\\right)",
        constant_value: 0.5 * (2.0 * std::f64::consts::PI).ln(),
        rho_value: Box::new(|r| 0.5 * r * r),
    }
}

fn laplace() -> Family {
    Family {
        scale: "b",
        density_words: "Laplace noise has tails that fall as an exponential: large errors are no surprise.",
        density: "f(r) = \\frac{1}{2} e^{-|r|}".to_owned(),
        constant: "c = \\ln 2 = 0.6931472".to_owned(),
        rho: "\\rho(r) = |r|".to_owned(),
        loss_words: "What does not depend on the coefficients is dropped, the factor 1/b with it: absolute error is what is left of Laplace noise.",
        loss: "\\sum_{i=1}^n |y_i - x_i^\\top \\beta|",
        loss_total: Some(("SAE", 1)),
        gradient_words: "The loss has a kink at zero; at its least the gradient, with any slope between -1 and 1 at a residual of zero, holds zero.",
        gradient: "\\sum_{i=1}^n \\psi(r_i) x_i \\ni 0",
        psi: "\\psi(r) = \\mathrm{sign}(r)".to_owned(),
        estimator_words: "As many responses above as below: with an intercept alone that is the median, with regressors median regression, a linear program whose solution passes through as many points as there are coefficients.",
        estimator: "\\hat\\beta_0 = \\mathrm{median}(y_1, \\ldots, y_n) \\; \\text{for} \\; \\mu_i = \\beta_0",
        scale_words: "The derivative by the scale is zero at the mean absolute deviation.",
        scale_formula: "\\frac{\\partial \\ell}{\\partial b} = -\\frac{n}{b} + \\frac{SAE}{b^2} = 0, \\quad \\hat b = \\frac{SAE}{n}",
        at_maximum: "-\\hat\\ell = n \\left(\\ln (2 \\hat b) + 1\\right)",
        constant_value: std::f64::consts::LN_2,
        rho_value: Box::new(f64::abs),
    }
}

fn quantile(AsymmetricLaplace { tau }: AsymmetricLaplace) -> Family {
    Family {
        scale: "s",
        density_words: "An asymmetric Laplace density whose sides fall at different rates has the share tau of its probability below its peak.",
        density: format!("f(r) = \\tau (1 - \\tau) e^{{-\\rho(r)}}, \\quad \\tau = {tau}"),
        constant: format!("c = -\\ln (\\tau (1 - \\tau)) = {}", significant(-(tau * (1.0 - tau)).ln(), 7)),
        rho: "\\rho(r) = r (\\tau - [r < 0])".to_owned(),
        loss_words: "What does not depend on the coefficients is dropped: the pinball loss.",
        loss: "\\sum_{i=1}^n \\rho(y_i - x_i^\\top \\beta)",
        loss_total: Some(("\\sum \\rho", 1)),
        gradient_words: "The loss has a kink at zero; at its least the gradient, with any slope between at a residual of zero, holds zero.",
        gradient: "\\sum_{i=1}^n \\psi(r_i) x_i \\ni 0",
        psi: "\\psi(r) = \\tau - [r < 0]".to_owned(),
        estimator_words: "The share tau of the responses lies below: with an intercept alone that is the sample's quantile, with regressors quantile regression, a linear program.",
        estimator: "\\frac{1}{n} \\sum_{i=1}^n [y_i < \\hat\\mu_i] \\le \\tau \\le \\frac{1}{n} \\sum_{i=1}^n [y_i \\le \\hat\\mu_i]",
        scale_words: "The derivative by the scale is zero at the mean loss.",
        scale_formula: "\\hat s = \\frac{1}{n} \\sum_{i=1}^n \\rho(y_i - \\hat\\mu_i)",
        at_maximum: "-\\hat\\ell = n \\left(\\ln \\hat s - \\ln (\\tau (1 - \\tau)) + 1\\right)",
        constant_value: -(tau * (1.0 - tau)).ln(),
        rho_value: Box::new(move |r| if r < 0.0 { r * (tau - 1.0) } else { r * tau }),
    }
}

fn student_t(own: StudentT) -> Family {
    if own.df().is_infinite() {
        let density_words = "With infinitely many degrees of freedom Student's t noise is Gaussian.";
        return Family { density_words, ..gaussian() };
    }
    let known = own.df() > 0.0;
    let df = if known { own.df() } else { 4.0 };
    let own = StudentT::new(df);
    Family {
        scale: "s",
        density_words: "Student's t has tails that fall as a power: the fewer degrees of freedom nu, the heavier.",
        density: "f(r) = \\frac{\\Gamma(\\frac{\\nu + 1}{2})}{\\Gamma(\\frac{\\nu}{2}) \\sqrt{\\nu \\pi}} \\left(1 + \\frac{r^2}{\\nu}\\right)^{-(\\nu + 1) / 2}".to_owned()
            + &if known { format!(", \\quad \\nu = {}", significant(df, 6)) } else { String::new() },
        constant: "c = \\ln \\Gamma(\\frac{\\nu}{2}) - \\ln \\Gamma(\\frac{\\nu + 1}{2}) + \\frac{1}{2} \\ln (\\nu \\pi)".to_owned()
            + &if known { format!(" = {}", significant(own.log_normaliser(), 7)) } else { String::new() },
        rho: "\\rho(r) = \\frac{\\nu + 1}{2} \\ln \\left(1 + \\frac{r^2}{\\nu}\\right)".to_owned(),
        loss_words: DROPPED,
        loss: "\\sum_{i=1}^n \\frac{\\nu + 1}{2} \\ln \\left(1 + \\frac{r_i^2}{\\nu}\\right)",
        loss_total: None,
        gradient_words: "The gradient is zero at the estimate. Far out it falls back to zero: outliers are forgotten.",
        gradient: SCORE,
        psi: "\\psi(r) = \\frac{(\\nu + 1) r}{\\nu + r^2}".to_owned(),
        estimator_words: "That is a least squares problem whose weights depend on its solution; Newton's method solves it.",
        estimator: "X^\\top W X \\hat\\beta = X^\\top W y, \\quad w_i = \\frac{\\nu + 1}{\\nu + r_i^2}",
        scale_words: "The scale, and the degrees of freedom where they are free, solve their score equations beside it.",
        scale_formula: SCALE_SCORE,
        at_maximum: "-\\hat\\ell = n \\ln \\hat s + n c + \\sum_{i=1}^n \\rho(\\hat r_i)",
        constant_value: own.log_normaliser(),
        rho_value: Box::new(move |r| 0.5 * (df + 1.0) * (r * r / df).ln_1p()),
    }
}

fn logistic() -> Family {
    Family {
        scale: "s",
        density_words: "Logistic noise has tails a little heavier than Gaussian ones.",
        density: "f(r) = \\frac{1}{4 \\cosh^2 (r / 2)}".to_owned(),
        constant: "c = \\ln 4 = 1.386294".to_owned(),
        rho: "\\rho(r) = 2 \\ln \\cosh \\frac{r}{2}".to_owned(),
        loss_words: "What does not depend on the coefficients is dropped: the log-cosh loss.",
        loss: "\\sum_{i=1}^n 2 \\ln \\cosh \\frac{r_i}{2}",
        loss_total: None,
        gradient_words: "The gradient is zero at the estimate; no residual pulls harder than one.",
        gradient: SCORE,
        psi: "\\psi(r) = \\tanh \\frac{r}{2}".to_owned(),
        estimator_words: "The loss is convex: Newton's method finds its one least.",
        estimator: "\\sum_{i=1}^n \\tanh \\left(\\frac{\\hat r_i}{2}\\right) x_i = 0",
        scale_words: "The scale solves its score equation beside it.",
        scale_formula: SCALE_SCORE,
        at_maximum: "-\\hat\\ell = n \\ln \\hat s + n \\ln 4 + \\sum_{i=1}^n 2 \\ln \\cosh \\frac{\\hat r_i}{2}",
        constant_value: 4f64.ln(),
        rho_value: Box::new(|r: f64| r.abs() + 2.0 * (-r.abs()).exp().ln_1p() - 4f64.ln()),
    }
}

fn huber(own: Huber) -> Family {
    let k = if own.k() > 0.0 { own.k() } else { Huber::K };
    let constant = Huber::new(k).log_normaliser();
    let (scale_words, scale_formula) = match own.scale {
        HuberScale::Mad { .. } => (
            "The scale is not that of the likelihood but the median absolute deviation, as was asked for.",
            "\\hat s \\propto \\mathrm{median} |y_i - \\hat\\mu_i|",
        ),
        HuberScale::Proposal2 => (
            "The scale is not that of the likelihood but Huber's proposal 2, by the mean of the squared clipped residuals, as was asked for.",
            "\\hat s^2 \\propto \\sum_{i=1}^n (\\hat s \\psi(\\hat r_i))^2",
        ),
        HuberScale::MaximumLikelihood => ("The scale solves its score equation beside it.", SCALE_SCORE),
    };
    Family {
        scale: "s",
        density_words: "Huber's least favourable density is Gaussian in the middle and falls as an exponential beyond k scales.",
        density: format!("f(r) = e^{{-c - \\rho(r)}}, \\quad k = {}", significant(k, 6)),
        constant: format!("c = \\ln \\int e^{{-\\rho(r)}} dr = {}", significant(constant, 7)),
        rho: "\\rho(r) = \\frac{r^2}{2} \\; \\text{for} \\; |r| \\le k, \\quad \\rho(r) = k |r| - \\frac{k^2}{2} \\; \\text{beyond}".to_owned(),
        loss_words: "What does not depend on the coefficients is dropped: Huber's loss, squares in the middle and lines beyond.",
        loss: "\\sum_{i=1}^n \\rho(r_i)",
        loss_total: None,
        gradient_words: "The gradient is zero at the estimate; beyond k a residual pulls no harder.",
        gradient: SCORE,
        psi: "\\psi(r) = \\max(-k, \\min(k, r))".to_owned(),
        estimator_words: "Once it is known which residuals lie within k, what is left is least squares of these; the search is for that set.",
        estimator: "\\sum_{|r_i| \\le k} r_i x_i + k \\sum_{|r_i| > k} \\mathrm{sign}(r_i) x_i = 0",
        scale_words,
        scale_formula,
        at_maximum: "-\\hat\\ell = n \\ln \\hat s + n c + \\sum_{i=1}^n \\rho(\\hat r_i)",
        constant_value: constant,
        rho_value: Box::new(move |r: f64| if r.abs() <= k { 0.5 * r * r } else { k * r.abs() - 0.5 * k * k }),
    }
}

fn cauchy() -> Family {
    Family {
        scale: "s",
        density_words: "Cauchy noise has tails so heavy that there is no mean.",
        density: "f(r) = \\frac{1}{\\pi (1 + r^2)}".to_owned(),
        constant: "c = \\ln \\pi = 1.144730".to_owned(),
        rho: "\\rho(r) = \\ln (1 + r^2)".to_owned(),
        loss_words: DROPPED,
        loss: "\\sum_{i=1}^n \\ln (1 + r_i^2)",
        loss_total: None,
        gradient_words: "The gradient is zero at the estimate. Far out it falls back to zero: outliers are forgotten.",
        gradient: SCORE,
        psi: "\\psi(r) = \\frac{2 r}{1 + r^2}".to_owned(),
        estimator_words: "The likelihood may have several maxima; the greatest that is found from several starts is the estimate.",
        estimator: "X^\\top W X \\hat\\beta = X^\\top W y, \\quad w_i = \\frac{2}{1 + r_i^2}",
        scale_words: "The scale solves its score equation beside it.",
        scale_formula: SCALE_SCORE,
        at_maximum: "-\\hat\\ell = n \\ln \\hat s + n \\ln \\pi + \\sum_{i=1}^n \\ln (1 + \\hat r_i^2)",
        constant_value: std::f64::consts::PI.ln(),
        rho_value: Box::new(|r: f64| (r * r).ln_1p()),
    }
}
