//! The derivation of a noise: from its density to the loss, the estimator and the scale.

use noisefit_core::named;
use noisefit_core::noise::Noise;
use noisefit_report::derivation::{self, Given};

use crate::error::Error;
use crate::fitted::Fitted;
use crate::rows::specification;

/// How a derivation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Explained {
    /// For a terminal.
    #[default]
    Text,
    /// HTML with MathML.
    Html,
    /// LaTeX.
    Latex,
}

named!(Explained {
    Text = "text": "For a terminal",
    Html = "html": "HTML with MathML",
    Latex = "latex": "LaTeX with amsmath",
});

/// From the density of a noise to the loss, the estimator and the scale.
///
/// ```
/// use noisefit::core::noise::Noise;
/// use noisefit::{Explained, explain};
///
/// let text = explain(&Noise::Gaussian, Explained::Text);
/// assert!(text.contains("Xᵀ X β\u{302} = Xᵀ y"), "{text}");
/// ```
pub fn explain(noise: &Noise, form: Explained) -> String {
    written(noise, None, form)
}

fn written(noise: &Noise, given: Option<Given<'_>>, form: Explained) -> String {
    match form {
        Explained::Text => derivation::text(noise, given),
        Explained::Html => derivation::html(noise, given),
        Explained::Latex => derivation::latex(noise, given),
    }
}

impl Fitted {
    /// The derivation of the fit's noise with the fit's own numbers put in; of several quantiles one after the other, of what was
    /// trained without numbers.
    ///
    /// ```
    /// use noisefit::{Explained, Model, Table};
    ///
    /// let fitted = Model::new("foodexp ~ income").fit(&Table::open("../testdata/engel.csv")?)?;
    /// let text = fitted.explain(Explained::Text)?;
    /// assert!(text.contains("= 113.6213") && text.contains("-ℓ\u{302} = 1445.675"), "{text}");
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSingleFit`] for a model without a noise.
    pub fn explain(&self, form: Explained) -> Result<String, Error> {
        self.without_effects("explain")?;
        let model = specification(&self.model.design, self.counts());
        let fits = self.fits().iter().map(|fit| written(&fit.noise, Some(Given { model: &model, fit }), form));
        let trained = self.network().and_then(|network| network.members.first()).into_iter();
        let trained = trained.flat_map(|member| &member.noise).map(|noise| written(noise, None, form));
        let all: Vec<String> = fits.chain(trained).collect();
        if all.is_empty() { Err(Error::NoSingleFit) } else { Ok(all.join("\n")) }
    }
}
